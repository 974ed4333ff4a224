package p17rpcauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
	"unpipc/projects/internal/measure"
	"unpipc/projects/p16rpccalc"
	"unpipc/projects/p17rpcauth/authdes"
)

// rows compare the flavors that need no other server.
func rows(measure.Config) []measure.Row {
	return []measure.Row{{
		Group: "exercise 17", Name: "lat_rpc_auth", Unit: measure.Nanoseconds,
		What:     "one client calls ADD over a Unix socket, both sides in one process: a call with each flavor of credentials",
		Check:    "every sum is compared, and the server has to know the caller",
		Variants: []measure.Variant{flavor("AUTH_DES"), flavor("AUTH_SYS"), flavor("AUTH_NONE")},
	}}
}

const benchUID = 77

func flavor(name string) measure.Variant {
	return measure.Variant{Name: name, Run: func(ctx context.Context, _ *measure.Config, n int64) (s measure.Sample, err error) {
		dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-auth-", os.Getpid()))
		if err != nil {
			return s, err
		}
		defer os.RemoveAll(dir)
		g, auth, err := pairOf(name)
		if err != nil {
			return s, err
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		path := filepath.Join(dir, "calc.sock")
		ready, tell := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			err := p16rpccalc.Serve(ctx, p16rpccalc.ServerOptions{
				Networks: []string{"unix"}, Path: path, Program: calc.V1.Number,
				MaxConnections: 10, MaxRecord: 4096, Idle: time.Hour, Check: g.Check, Prepare: g.Prepare,
			}, tell)
			tell.CloseWithError(errors.Join(errors.New("the server has ended"), err))
			ended <- err
		}()
		if _, err := ready.Read(make([]byte, 1024)); err != nil {
			return s, err
		}
		q, err := p16rpccalc.Parse([]string{"add", "5", "3"})
		if err != nil {
			return s, err
		}
		figures, err := p16rpccalc.Load(p16rpccalc.Target{
			Network: "unix", Path: path, Program: calc.V2, Exact: true, Timeout: time.Minute, Auth: auth,
		}, q, n, 1, 8)
		cancel()
		return measure.Sample{Elapsed: figures.Elapsed, Verified: figures.Calls}, errors.Join(err, <-ended)
	}}
}

// pairOf is a server's guard and the credential of a client that it lets pass.
func pairOf(name string) (*Guard, sunrpc.Auth, error) {
	g := &Guard{Log: func(string, ...any) {}}
	switch name {
	case "AUTH_NONE":
		g.Flavors = map[uint32]bool{flavors["none"]: true}
		return g, sunrpc.AuthNone{}, g.Policy.Add("add: anybody")
	case "AUTH_SYS":
		g.Flavors = map[uint32]bool{flavors["sys"]: true}
		return g, sunrpc.AuthSys{UID: benchUID}, g.Policy.Add(fmt.Sprintf("add: uid %d", benchUID))
	}
	public, rings := map[string]authdes.PublicKey{}, map[string]authdes.KeyRing{}
	for _, name := range []string{"calc@here", "ann@here"} {
		key, secret, err := authdes.NewKeys()
		if err != nil {
			return nil, nil, err
		}
		public[name] = key
		rings[name] = authdes.KeyRing{Secret: secret, Public: func(name string) (authdes.PublicKey, error) { return public[name], nil }}
	}
	g.Flavors = map[uint32]bool{authdes.Flavor: true}
	g.DES = authdes.NewServer(rings["calc@here"], maxConversations, time.Minute, time.Now)
	client, err := authdes.NewClient("ann@here", "calc@here", rings["ann@here"], time.Minute, time.Now)
	if err != nil {
		return nil, nil, err
	}
	return g, sunrpc.Plugged{Authenticator: desFlavor{client}}, g.Policy.Add("add: name ann@here")
}
