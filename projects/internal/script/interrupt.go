package script

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// interruptible has programs that are started from now on end by SIGINT, which is how
// testscript ends background commands after a failed step: it waits for them then, as long
// as the tests may take. What a shell without job control starts in the background is born
// to ignore SIGINT, and so would all its children.
func interruptible() {
	if signal.Ignored(unix.SIGINT) {
		signal.Notify(make(chan os.Signal, 1), unix.SIGINT) // a handler is not inherited
	}
}
