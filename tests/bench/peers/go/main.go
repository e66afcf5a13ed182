// The same job with net/http and santhosh-tekuri/jsonschema: validate, transform, answer, one log
// line.
//
//	peer THREADS PORT SCHEMA LOG
//
// Set up to be fast: the schema is compiled ahead, the record is a struct, and the log is buffered.
package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

type record struct {
	InteractionID any    `json:"interaction_id"`
	StartTime     any    `json:"start_time"`
	ChannelType   any    `json:"channel_type"`
	QueueID       any    `json:"queue_id"`
	QueueName     any    `json:"queue_name"`
	CustomerEmail any    `json:"customer_email"`
	CustomerName  any    `json:"customer_name"`
	Attributes    any    `json:"attributes"`
	ProcessedAt   string `json:"processed_at"`
}

type refusal struct {
	Error   string `json:"error"`
	Details string `json:"details"`
}

// buffered is written out every 10 ms.
type buffered struct {
	mutex sync.Mutex
	out   *bufio.Writer
}

func (b *buffered) Write(line []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.out.Write(line)
}

func (b *buffered) flush() {
	for range time.Tick(10 * time.Millisecond) {
		b.mutex.Lock()
		b.out.Flush()
		b.mutex.Unlock()
	}
}

func object(value any) map[string]any {
	members, _ := value.(map[string]any)
	return members
}

func transform(detail any) record {
	interaction := object(object(detail)["interaction"])
	routing := object(interaction["routing"])
	customer := object(interaction["customer"])
	attributes, found := interaction["attributes"]
	if !found {
		attributes = struct{}{}
	}
	return record{
		InteractionID: interaction["id"],
		StartTime:     interaction["start_time"],
		ChannelType:   interaction["channel_type"],
		QueueID:       routing["queue_id"],
		QueueName:     routing["queue_name"],
		CustomerEmail: customer["email"],
		CustomerName:  customer["name"],
		Attributes:    attributes,
		ProcessedAt:   time.Now().UTC().Format("2006-01-02T15:04:05.000000Z"),
	}
}

func process(schema *jsonschema.Schema, body []byte) (int, any, any) {
	event, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return 400, refusal{"Processing failed", err.Error()}, nil
	}
	id := object(event)["id"]
	detail, found := object(event)["detail"]
	if !found {
		return 400, refusal{"Processing failed", "Invalid EventBridge payload: missing 'detail' key"}, id
	}
	if err := schema.Validate(detail); err != nil {
		return 400, refusal{"Schema validation failed", err.Error()}, id
	}
	return 200, transform(detail), id
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	runtime.GOMAXPROCS(must(strconv.Atoi(os.Args[1])))
	compiler := jsonschema.NewCompiler()
	schema := must(compiler.Compile(os.Args[3]))
	lines := &buffered{out: bufio.NewWriterSize(must(os.Create(os.Args[4])), 64*1024)}
	log := slog.New(slog.NewJSONHandler(lines, nil))
	go lines.flush()

	http.HandleFunc("POST /events", func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, max(r.ContentLength, 0))
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return
		}
		status, answer, eventID := process(schema, body)
		text := must(json.Marshal(answer))
		var random [16]byte
		rand.Read(random[:])
		id := hex.EncodeToString(random[:])
		log.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("request_id", id),
			slog.Any("event_id", eventID), slog.String("method", "POST"),
			slog.String("path", "/events"), slog.Int("status", status))
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", id)
		w.WriteHeader(status)
		w.Write(text)
	})
	listener := must(net.Listen("tcp", "127.0.0.1:"+os.Args[2]))
	fmt.Println("ready")
	panic(http.Serve(listener, nil))
}
