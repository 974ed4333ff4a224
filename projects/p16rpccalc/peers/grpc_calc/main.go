// Command grpc_calc adds two numbers over gRPC: what calc_server and calc_client are
// measured against.
//
//	grpc_calc serve 127.0.0.1:5002
//	grpc_calc ask 127.0.0.1:5002 COUNT CLIENTS
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"unpipc/projects/p16rpccalc"
)

// The operands go as a Duration, which is a generated message of two integers, the result
// as an Int32Value.
type (
	operands = durationpb.Duration
	result   = wrapperspb.Int32Value
)

const method = "/calc.Calculator/Add"

var service = grpc.ServiceDesc{
	ServiceName: "calc.Calculator",
	Methods: []grpc.MethodDesc{{
		MethodName: "Add",
		Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := new(operands)
			if err := decode(in); err != nil {
				return nil, err
			}
			return &result{Value: int32(in.Seconds) + in.Nanos}, nil
		},
	}},
}

func main() {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "serve":
		err = serve(os.Args[2])
	case len(os.Args) == 5 && os.Args[1] == "ask":
		err = ask(os.Args[2], os.Args[3], os.Args[4])
	default:
		fmt.Fprintln(os.Stderr, "usage: grpc_calc serve ADDRESS\n       grpc_calc ask ADDRESS COUNT CLIENTS")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "grpc_calc:", err)
		os.Exit(1)
	}
}

func serve(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	s := grpc.NewServer()
	s.RegisterService(&service, nil)
	fmt.Println("Serving at", addr)
	return s.Serve(l)
}

func ask(addr, calls, clients string) error {
	n, callsErr := strconv.ParseInt(calls, 10, 64)
	k, err := strconv.Atoi(clients)
	if err = errors.Join(callsErr, err); err != nil {
		return err
	}
	figures, err := p16rpccalc.Together(n, k, func() (p16rpccalc.Asker, error) {
		c, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		return client{c}, err
	})
	if err == nil {
		_, err = fmt.Println(figures)
	}
	return err
}

type client struct{ *grpc.ClientConn }

func (c client) Repeat(n int64) error {
	for range n {
		var out result
		if err := c.Invoke(context.Background(), method, &operands{Seconds: 5, Nanos: 3}, &out); err != nil {
			return err
		}
		if out.Value != 8 {
			return fmt.Errorf("5 + 3 is not %d", out.Value)
		}
	}
	return nil
}
