package p17rpcauth

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Password is the first line of a file, or, without a path, what is typed at the
// terminal, unseen.
func Password(path, prompt string) (string, error) {
	if path == "" {
		return ask(prompt)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	line, err := firstLine(f)
	if err != nil {
		return "", fmt.Errorf("%s: no password: %w", path, err)
	}
	return line, nil
}

func firstLine(from io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(from, 4096)).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if line == "" {
		return "", io.ErrUnexpectedEOF
	}
	return line, nil
}

func ask(prompt string) (string, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", fmt.Errorf("no terminal to ask for a password, and no --password-file: %w", err)
	}
	defer tty.Close()
	fd := int(tty.Fd()) // it blocks from now on
	shown, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return "", fmt.Errorf("/dev/tty: %w", err)
	}
	// Signals would end the process before its terminal is as it was.
	hidden := *shown
	hidden.Lflag &^= unix.ECHO | unix.ISIG
	if err := unix.IoctlSetTermios(fd, unix.TCSETSF, &hidden); err != nil {
		return "", fmt.Errorf("/dev/tty: %w", err)
	}
	fmt.Fprint(tty, prompt)
	line, err := firstLine(tty)
	fmt.Fprintln(tty)
	err = errors.Join(err, unix.IoctlSetTermios(fd, unix.TCSETSF, shown))
	return line, err
}
