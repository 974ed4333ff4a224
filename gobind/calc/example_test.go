package calc_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
)

// adder can add, for callers who say who they are.
type adder struct{}

func (adder) Apply(r *sunrpc.Request, op calc.Operation, a, b int32) (int32, error) {
	if _, ok := r.Sys(); !ok {
		return 0, sunrpc.AuthTooWeak
	}
	if op != calc.Add {
		return 0, sunrpc.ProcedureUnavailable
	}
	if sum := int64(a) + int64(b); sum >= math.MinInt32 && sum <= math.MaxInt32 {
		return int32(sum), nil
	}
	return 0, calc.Overflow
}

func (adder) Evaluate(*sunrpc.Request, []calc.Token) (int32, error) {
	return 0, sunrpc.ProcedureUnavailable
}

func Example() {
	server := sunrpc.NewServer(sunrpc.ServerOptions{})
	calc.Handle(server, adder{})
	addr, err := server.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- server.Serve(ctx) }()

	for _, auth := range []sunrpc.Auth{sunrpc.CurrentUser(), sunrpc.AuthNone{}} {
		conn, err := sunrpc.Dial(ctx, "tcp", addr.String(), calc.V2, sunrpc.Options{Auth: auth})
		if err != nil {
			log.Fatal(err)
		}
		client := calc.NewClient(conn, 2)
		fmt.Println(client.Apply(ctx, calc.Add, 5, 3))
		_, err = client.Apply(ctx, calc.Add, math.MaxInt32, 1)
		fmt.Println(errors.Is(err, calc.Overflow), errors.Is(err, sunrpc.AuthTooWeak))
		conn.Close()
	}
	stop()
	fmt.Println(<-stopped)
	// Output:
	// 8 <nil>
	// true false
	// 0 call program 0x31230000 version 2: authentication error: credential too weak
	// false true
	// <nil>
}
