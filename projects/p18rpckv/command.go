package p18rpckv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"unpipc/gobind/kvrpc"
)

// Options are the flags of kv_client.
type Options struct {
	Servers      []string
	Timeout      time.Duration
	Local        bool // get, list
	MaxAge       time.Duration
	Age          bool
	Raw          bool // get
	FromNow      bool // watch: After is not given
	After, Count uint64
	Absent       bool // cas
}

// Address is host:port with one name for this host, so that the same server is not known by
// two.
func Address(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" {
		return "", fmt.Errorf("%q is no host:port", text)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("%q: the port is not between 1 and 65535", text)
	}
	if host == "127.0.0.1" || host == "::1" {
		host = "localhost"
	}
	return net.JoinHostPort(strings.ToLower(host), port), nil
}

// Run is a command that has been read. It tells besides its output what was asked for.
type Run func(ctx context.Context, in io.Reader, out io.Writer, tell func(format string, args ...any)) error

// Parse reads a command and its arguments.
func Parse(args []string, o Options) (Run, error) {
	if len(args) == 0 {
		return nil, errors.New("which command?")
	}
	name, args := args[0], args[1:]
	if name == "member" && len(args) > 0 {
		name, args = name+" "+args[0], args[1:]
	}
	forms := map[string]struct {
		least, most int
		what        string
	}{
		"put": {2, 2, "a key and a value"}, "get": {1, 1, "a key"}, "del": {1, 1, "a key"},
		"cas": {3, 3, "a key, the old value and the new one"}, "list": {0, 1, "a prefix at most"},
		"watch": {0, 1, "a prefix at most"}, "status": {0, 0, "no arguments"},
		"member add": {2, 2, "an id and an address"}, "member remove": {1, 1, "an id"},
	}
	form, ok := forms[name]
	if name == "cas" && o.Absent {
		form.least, form.most, form.what = 2, 2, "a key and a value with --absent"
	}
	switch {
	case name == "member":
		return nil, errors.New("member: add or remove?")
	case !ok:
		return nil, fmt.Errorf("%s is no command", name)
	case len(args) < form.least || len(args) > form.most:
		return nil, fmt.Errorf("%s takes %s", name, form.what)
	}
	first := ""
	if len(args) > 0 {
		first = args[0]
	}
	key := []byte(first)
	switch {
	case len(key) > kvrpc.MaxKey:
		return nil, fmt.Errorf("a key has at most %d bytes", kvrpc.MaxKey)
	case form.least > 0 && len(key) == 0:
		return nil, fmt.Errorf("%s: an empty key or id", name)
	}
	for _, value := range args[min(1, len(args)):] {
		if len(value) > kvrpc.MaxValue {
			return nil, errTooLong
		}
	}
	c := command{Options: o, key: key, args: args}
	switch name {
	case "put":
		return c.put, nil
	case "get":
		return c.get, nil
	case "del":
		return c.del, nil
	case "cas":
		return c.cas, nil
	case "list":
		return c.list, nil
	case "watch":
		return c.watch, nil
	case "status":
		return c.status, nil
	case "member add":
		addr, err := Address(args[1])
		if err != nil {
			return nil, err
		}
		c.args[1] = addr
	}
	return c.member, nil
}

var errTooLong = fmt.Errorf("a value has at most %d bytes", kvrpc.MaxValue)
