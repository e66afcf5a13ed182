// client.go - GET /healthz: client PORT CA_FILE VERSION (1.2, 1.3 or any); prints TLS version and status.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
)

func main() {
	pem, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: roots}
	switch os.Args[3] {
	case "1.2":
		config.MaxVersion = tls.VersionTLS12
	case "1.3":
		config.MinVersion = tls.VersionTLS13
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	answer, err := client.Get("https://localhost:" + os.Args[1] + "/healthz")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(tls.VersionName(answer.TLS.Version), answer.StatusCode)
}
