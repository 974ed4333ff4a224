package sunrpc_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
)

// BenchmarkCall is one client that adds, with the server in the same process.
func BenchmarkCall(b *testing.B) {
	cancellable, cancel := context.WithCancel(background)
	defer cancel()
	for _, network := range []string{"unix", "tcp", "udp"} {
		for name, ctx := range map[string]context.Context{"plain": background, "cancellable": cancellable} {
			b.Run(network+"/"+name, func(b *testing.B) {
				s := start(b, network, &calculator{}, sunrpc.ServerOptions{})
				client := calc.NewClient(s.dial(b, sunrpc.Options{}), 2)
				b.ReportAllocs()
				for b.Loop() {
					_, err := client.Apply(ctx, calc.Add, 1, 1)
					require.NoError(b, err)
				}
			})
		}
	}
}
