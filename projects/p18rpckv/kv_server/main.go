// Command kv_server is a server of a replicated key-value store.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p18rpckv"
	"unpipc/projects/p18rpckv/cache"
	"unpipc/projects/p18rpckv/node"
)

func main() {
	p := cli.New("kv_server", "",
		"Serves a key-value store that is replicated to the other servers, until SIGINT or SIGTERM.\n"+
			"The first start makes a cluster of this server and its peers; later ones go on with\n"+
			"what the log says.",
		"  kv_server --id=1 --port=9001 --peers=localhost:9002,localhost:9003 &\n"+
			"  kv_server --id=2 --port=9002 --peers=localhost:9001,localhost:9003 &\n"+
			"  kv_server --id=3 --port=9003 --peers=localhost:9001,localhost:9002 &")
	id := p.Uint32("id", 0, "`number` by which people know this server")
	port := p.Int("port", 0, "serve at this TCP port `number`")
	peers := p.StringSlice("peers", nil, "`addresses` of the other servers, with commas between")
	join := p.Bool("join", false, "be taken into a cluster that is there: kv_client member add")
	dir := p.String("data", "", "keep the log and snapshots in this `folder`; without the flag in kv_data/ID-PORT")
	listen := p.String("listen", "127.0.0.1", "serve at this `address` only; 0.0.0.0 is all, and everybody is believed")
	host := p.String("host", "localhost", "`name` of this host, as the peers have it in --peers")
	election := p.Float64("election", 1, "`seconds` without a sign of the leader until a new one is elected, up to twice that")
	wait := p.Float64("wait", 4, "`seconds` for a call to find a leader with a majority")
	snapshots := p.Uint64("snapshots", 8192, "`entries` of the log until a snapshot takes their place")
	size := p.String("cache", "4MB", "`bytes` of shared memory for kv_client --local on this host; 0 is none")
	verbose := p.Bool("verbose", false, "print what raft has to say, too")
	p.Parse(os.Args[1:])
	switch {
	case p.NArg() > 0:
		p.BadUsage("takes no arguments")
	case *id == 0:
		p.BadUsage("--id: a number from 1 up")
	case *port < 1 || *port > 65535:
		p.BadUsage("--port: %d is not between 1 and 65535", *port)
	case *join && len(*peers) > 0:
		p.BadUsage("--join: the cluster tells who its members are, --peers does not")
	case !(*election >= 0.05 && *election <= 60):
		p.BadUsage("--election must be from 0.05 to 60 seconds")
	case !(*wait > 0 && *wait <= 5):
		p.BadUsage("--wait must be more than 0 and at most 5 seconds")
	case *snapshots < 1:
		p.BadUsage("--snapshots must be at least 1")
	}
	bytes := 0
	if *size != "0" {
		var err error
		if bytes, err = cli.ParseSize(*size); err == nil && (bytes < cache.MinSize || bytes > cache.MaxSize) {
			err = fmt.Errorf("%s is not between %d and %d bytes", *size, cache.MinSize, cache.MaxSize)
		}
		if err != nil {
			p.BadUsage("--cache: %v", err)
		}
	}
	o := node.Options{
		ID: strconv.FormatUint(uint64(*id), 10), Listen: net.JoinHostPort(*listen, strconv.Itoa(*port)),
		Join: *join, Data: *dir, Snapshots: *snapshots, Port: *port, Cache: bytes,
		Election: time.Duration(*election * float64(time.Second)), Wait: time.Duration(*wait * float64(time.Second)),
		Tell: func(format string, args ...any) { fmt.Printf(format+"\n", args...) },
	}
	var err error
	if o.Addr, err = p18rpckv.Address(net.JoinHostPort(*host, strconv.Itoa(*port))); err != nil {
		p.BadUsage("--host: %v", err)
	}
	for _, peer := range *peers {
		addr, err := p18rpckv.Address(peer)
		if err != nil {
			p.BadUsage("--peers: %v", err)
		}
		if addr == o.Addr {
			p.BadUsage("--peers: %s is this server", peer)
		}
		o.Peers = append(o.Peers, addr)
	}
	if o.Data == "" {
		o.Data = filepath.Join("kv_data", fmt.Sprintf("%d-%d", *id, *port))
	}
	if *verbose {
		o.Log = hclog.New(&hclog.LoggerOptions{Name: p.Name, Level: hclog.Debug})
	}
	// A write to a closed standard output is an error, and so is one beyond a limit on files.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGXFSZ)
	p.Exit(serve(o))
}

func serve(o node.Options) error {
	ctx := cli.UntilSignal()
	n, err := node.Start(o)
	if err != nil {
		return err
	}
	what := "alone"
	if len(o.Peers) > 0 {
		what = "with " + strings.Join(o.Peers, ", ")
	} else if o.Join {
		what = "until it is taken in"
	}
	o.Tell("Serving as server %s at %s, %s", o.ID, o.Addr, what)
	return n.Serve(ctx)
}
