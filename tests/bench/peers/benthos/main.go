// Benthos, the engine of Redpanda Connect, with the parts that pipeline.yaml uses: HTTP, files, schemas and mappings.
//
//	benthos run pipeline.yaml
package main

import (
	"context"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
)

func main() {
	service.RunCLI(context.Background())
}
