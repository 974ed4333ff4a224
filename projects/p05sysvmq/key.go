package p05sysvmq

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/cli"
)

// DefaultPath and DefaultID make the key that is used when none is asked for. The root
// directory is always there and never made anew: a file that is removed and written
// again gives another key.
const (
	DefaultPath = "/"
	DefaultID   = 'S'
)

// KeyFlags are the flags by which both programs choose the queue.
type KeyFlags struct {
	p       *cli.Program
	key     *string
	path    *string
	id      *string
	explain *bool
}

// AddKeyFlags adds them to a program.
func AddKeyFlags(p *cli.Program) *KeyFlags {
	return &KeyFlags{p,
		p.String("key", "", "the queue's `key`, such as 0x12345678 (default: made by ftok)"),
		p.String("path", DefaultPath, "the `file` that ftok makes the key of"),
		p.String("id", string(DefaultID), "the `id` that ftok makes the key of, a number or a character"),
		p.Bool("explain-key", false, "tell how the key comes about and what else has the same, and exit"),
	}
}

// Key is the key that is asked for. Flags that make no sense end the process, as does
// --explain-key, after explaining. Errors: those of [sysvmq.Ftok].
func (f *KeyFlags) Key() (sysvmq.Key, error) {
	if f.p.Changed("key") {
		return f.given()
	}
	id, err := parseID(*f.id)
	if err != nil {
		f.p.BadUsage("--id %s: %v", *f.id, err)
	}
	if *f.explain {
		f.p.Exit(explain(os.Stdout, *f.path, id))
	}
	return sysvmq.Ftok(*f.path, id)
}

func (f *KeyFlags) given() (sysvmq.Key, error) {
	if f.p.Changed("path") || f.p.Changed("id") {
		f.p.BadUsage("--key is a key already: no --path and no --id with it")
	}
	key, err := parseKey(*f.key)
	if err != nil {
		f.p.BadUsage("--key %s: %v", *f.key, err)
	}
	if *f.explain {
		_, err := fmt.Printf("key %s was given as it is: no ftok, and nothing tells who else uses it\n", key)
		f.p.Exit(err)
	}
	return key, nil
}

var (
	errNoNumber = errors.New("not a number of 32 bits")
	errPrivate  = errors.New("the key of private queues, which no other program can find")
	errNoID     = errors.New("not a number, and not a single character")
	errZeroID   = errors.New("ftok uses the low 8 bits, which must not all be 0")
)

// parseNumber reads a decimal number, or a hexadecimal one that begins with 0x.
func parseNumber(text string) (uint32, error) {
	base := 10
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		text, base = digits, 16
	}
	n, err := strconv.ParseUint(text, base, 32)
	if err != nil {
		return 0, errNoNumber
	}
	return uint32(n), nil
}

func parseKey(text string) (sysvmq.Key, error) {
	n, err := parseNumber(text)
	if err == nil && n == uint32(sysvmq.Private) {
		err = errPrivate
	}
	return sysvmq.Key(n), err
}

// parseID reads a number or the character that has it.
func parseID(text string) (int, error) {
	n, err := parseNumber(text)
	if err != nil && len(text) == 1 {
		n, err = uint32(text[0]), nil
	}
	switch {
	case err != nil || n > 1<<31-1:
		return 0, errNoID
	case n&0xff == 0:
		return 0, errZeroID
	}
	return int(n), nil
}

// explain tells how ftok makes the key and shows what else makes the same one.
func explain(w io.Writer, path string, id int) error {
	key, err := sysvmq.Ftok(path, id)
	if err != nil {
		return err
	}
	file, err := identify(path)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "key %s = ftok(\"%s\", 0x%x)\n\n", key, show([]byte(path)), id)
	fmt.Fprintf(&b, "  bits 31-24  0x%02x    low 8 bits of the id 0x%x\n", id&0xff, id)
	fmt.Fprintf(&b, "  bits 23-16  0x%02x    low 8 bits of the device 0x%x\n", file.device&0xff, file.device)
	fmt.Fprintf(&b, "  bits 15-0   0x%04x  low 16 bits of the inode 0x%x\n\n", file.inode&0xffff, file.inode)
	fmt.Fprintf(&b, "The other bits are lost, so others have the same key:\n\n")
	more := (id + 256) & (1<<31 - 1)
	if err := same(&b, path, more, "another id"); err != nil {
		return err
	}
	found, looked, err := search(path, file)
	if err != nil {
		return err
	}
	switch {
	case found.twin != "":
		err = same(&b, found.twin, id, "another file")
	case found.a != "":
		fmt.Fprintf(&b, "\nNone of the %d files looked at has it, but these two have one key:\n\n", looked)
		err = errors.Join(same(&b, found.a, id, ""), same(&b, found.b, id, ""))
	default:
		fmt.Fprintf(&b, "\nNone of the %d files looked at has it.\n", looked)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// same adds a line with what ftok itself says of a file and an id.
func same(b *strings.Builder, path string, id int, what string) error {
	key, err := sysvmq.Ftok(path, id)
	if err != nil {
		return err
	}
	file, err := identify(path)
	if err != nil {
		return err
	}
	line := fmt.Sprintf("  %s = ftok(\"%s\", 0x%x)  inode 0x%x  %s", key, show([]byte(path)), id, file.inode, what)
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	return nil
}
