package report

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"unpipc/projects/internal/measure"
)

// Progress shows how far a run is: as a bar where f is a terminal, else as a line
// for each row.
func Progress(f *os.File) func(measure.Progress) {
	if term.IsTerminal(int(f.Fd())) {
		return bar(f)
	}
	return lines(f)
}

func lines(w io.Writer) func(measure.Progress) {
	return func(p measure.Progress) {
		if p.Row == nil {
			fmt.Fprintf(w, "[%d/%d] done in %v\n", p.Done, p.Total, p.Elapsed.Round(time.Second))
			return
		}
		left := ""
		if p.Left > 0 {
			left = fmt.Sprintf(", %v left", p.Left.Round(time.Second))
		}
		fmt.Fprintf(w, "[%d/%d] %s%s\n", p.Done+1, p.Total, label(p.Row), left)
	}
}

func bar(w io.Writer) func(measure.Progress) {
	var b *progressbar.ProgressBar
	return func(p measure.Progress) {
		if b == nil {
			b = progressbar.NewOptions(p.Total, progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(30),
				progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish())
		}
		if p.Row != nil {
			left := ""
			if p.Left > 0 { // the bar's own estimate takes all rows to be alike
				left = p.Left.Round(time.Second).String() + " left"
			}
			b.Describe(fmt.Sprintf("%-36s %10s", label(p.Row), left))
		}
		// A terminal that cannot be written to is no reason to stop measuring.
		_ = b.Set(p.Done)
	}
}

func label(r *measure.Row) string {
	return strings.TrimSpace(r.Name + " " + Varied(r.Size, r.Workers))
}
