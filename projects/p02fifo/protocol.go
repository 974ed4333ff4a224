package p02fifo

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// DefaultPath is the well-known FIFO.
const DefaultPath = "/tmp/calc_server"

// MaxRequestBytes is PIPE_BUF on Linux: the longest request, its newline included,
// that arrives as one whatever others write.
const MaxRequestBytes = 4096

// replyPrefix and a pid are the name of a client's FIFO.
const replyPrefix = "calc_client_"

// Why a line is no request.
var (
	errNoRequest = errors.New("not pid:operation")
	errGlued     = errors.New("two requests in one line")
)

// ReplyPath is the FIFO of the client pid, in the directory of the server's.
func ReplyPath(server string, pid int) string {
	return directory(server) + replyPrefix + strconv.Itoa(pid)
}

// directory is what stands before the last name in path, its slash included.
func directory(path string) string { return path[:strings.LastIndexByte(path, '/')+1] }

// Request is the line that asks for an operation. Errors: a [CalcError] for an
// operation that cannot be sent because the line would not be one request, else
// what is wrong with its length.
func Request(pid int, operation string) ([]byte, error) {
	at := strings.IndexByte(operation, '\n')
	if at < 0 {
		at = glued(operation)
	}
	if at >= 0 {
		return nil, CalcError(fmt.Sprintf("unexpected '%s' at %d", show(operation[at:at+1]), at+1))
	}
	line := strconv.AppendInt(make([]byte, 0, 32+len(operation)), int64(pid), 10)
	line = append(append(append(line, ':'), operation...), '\n')
	if len(line) > MaxRequestBytes {
		return nil, fmt.Errorf("the request has %d bytes, at most %d arrive as one", len(line), MaxRequestBytes)
	}
	return line, nil
}

// request is a line that was received, its newline taken off.
type request struct {
	pid       int
	operation string
}

func parse(line []byte) (request, error) {
	digits, operation, found := strings.Cut(string(line), ":")
	for _, c := range []byte(digits) {
		found = found && digit(c)
	}
	pid, err := strconv.ParseInt(digits, 10, 32)
	if !found || err != nil || digits[0] == '0' {
		return request{}, errNoRequest
	}
	if glued(operation) >= 0 {
		return request{}, errGlued
	}
	return request{int(pid), operation}, nil
}

// glued finds a colon behind a digit, -1 if there is none. It may end the pid of
// a second request, written behind one that lacks its newline: nobody can tell
// whose line that is.
func glued(operation string) int {
	for at := 1; at < len(operation); at++ {
		if operation[at] == ':' && digit(operation[at-1]) {
			return at
		}
	}
	return -1
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// show escapes what a terminal would not show as one character of its own.
func show[T string | []byte](text T) string {
	var b strings.Builder
	b.Grow(len(text))
	for _, c := range []byte(text) {
		switch {
		case c == '\\':
			b.WriteString(`\\`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
