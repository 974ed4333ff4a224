package p06mqbench

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"unpipc/projects/internal/measure"
)

// Formats are the ways to write the lines, by the names that --format has.
var Formats = map[string]func(io.Writer, *Plan, []Line) error{
	"table": Table, "json": JSON, "csv": CSV, "md": Markdown,
}

// sheet is what the table and the Markdown show of one size.
type sheet struct {
	title       string
	cells       [][]string // the header first
	raw, simple string
	notes       []string
}

// sheets are one for each size; lines of one size stand together.
func sheets(lines []Line) []sheet {
	var all []sheet
	for len(lines) > 0 {
		n := 1
		for n < len(lines) && lines[n].Size == lines[0].Size {
			n++
		}
		all = append(all, newSheet(lines[:n]))
		lines = lines[n:]
	}
	return all
}

func newSheet(lines []Line) sheet {
	s := sheet{
		title: fmt.Sprintf("IPC Mechanism Benchmark (%s messages, %s iterations)", size(lines[0].Size), count(lines[0].Iterations)),
		cells: [][]string{{"Mechanism", "Throughput", "Latency (avg)", "Latency (p99)"}},
	}
	withC, whyNot := false, ""
	for _, l := range lines {
		withC = withC || l.C != nil
		if l.SkippedC != "" {
			whyNot = l.SkippedC
		}
	}
	if withC {
		s.cells[0] = append(s.cells[0], "Go/C throughput", "Go/C latency")
	}
	for _, l := range lines {
		row := []string{l.Mechanism.Name, "-", "-", "-"}
		switch {
		case l.Failed != "":
			row[1] = "FAILED"
			s.notes = append(s.notes, l.Mechanism.Name+": FAILED: "+l.Failed)
		case l.Go == nil:
			s.notes = append(s.notes, l.Mechanism.Name+": not possible here: "+l.Skipped)
		default:
			row = []string{l.Mechanism.Name, rate(l.Go.BytesPerSecond), micros(l.Go.AvgNS), micros(l.Go.P99NS)}
		}
		if withC && l.C != nil {
			row = append(row, fmt.Sprintf("%.2f", l.RateRatio), fmt.Sprintf("%.2f", l.TimeRatio))
		}
		s.cells = append(s.cells, row)
	}
	if whyNot != "" {
		s.notes = append(s.notes, "C: not measured: "+whyNot)
	}
	s.raw, s.simple = Winners(lines)
	return s
}

// columns are the widths of the guide's table, and of the two for C.
var columns = []int{23, 15, 16, 16, 18, 12}

const explanation = "Latency is half of a round trip; there were a tenth as many. Every message was verified.\n" +
	"Best simplicity is the faster of Pipe and Unix Domain Socket, which need neither\n" +
	"synchronization nor cleaning up."

// Table writes the guide's table for each size.
func Table(w io.Writer, plan *Plan, lines []Line) error {
	var b strings.Builder
	for _, s := range sheets(lines) {
		fmt.Fprintf(&b, "%s\n%s\n\n", s.title, strings.Repeat("═", utf8.RuneCountInString(s.title)))
		for i, row := range s.cells {
			var line strings.Builder
			for j, cell := range row {
				fmt.Fprintf(&line, "%-*s", columns[j], cell)
			}
			text := strings.TrimRight(line.String(), " ")
			fmt.Fprintln(&b, text)
			if i == 0 {
				fmt.Fprintln(&b, strings.Repeat("─", utf8.RuneCountInString(text)))
			}
		}
		b.WriteString("\n")
		if s.raw != "" {
			fmt.Fprintf(&b, "Winner: %s (for raw throughput)\n", s.raw)
		}
		if s.simple != "" {
			fmt.Fprintf(&b, "Best simplicity: %s\n", s.simple)
		}
		b.WriteString("\n")
		for _, n := range s.notes {
			fmt.Fprintf(&b, "%s\n", n)
		}
		if len(s.notes) > 0 {
			b.WriteString("\n")
		}
	}
	fmt.Fprintln(&b, explanation)
	_, err := io.WriteString(w, b.String())
	return err
}

// Markdown writes the same in Markdown.
func Markdown(w io.Writer, plan *Plan, lines []Line) error {
	var b strings.Builder
	for _, s := range sheets(lines) {
		fmt.Fprintf(&b, "## %s\n\n", s.title)
		for i, row := range s.cells {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
			if i == 0 {
				fmt.Fprintf(&b, "|%s\n", strings.Repeat(" --- |", len(row)))
			}
		}
		b.WriteString("\n")
		if s.raw != "" {
			fmt.Fprintf(&b, "- Winner: %s (for raw throughput)\n", s.raw)
		}
		if s.simple != "" {
			fmt.Fprintf(&b, "- Best simplicity: %s\n", s.simple)
		}
		for _, n := range s.notes {
			fmt.Fprintf(&b, "- %s\n", n)
		}
		b.WriteString("\n")
	}
	fmt.Fprintln(&b, explanation)
	_, err := io.WriteString(w, b.String())
	return err
}

// record is a mechanism in one language at one size: an element of the JSON and a line
// of the CSV. Its names are part of the interface.
type record struct {
	Mechanism         string  `json:"mechanism"`
	Size              int     `json:"size_bytes"`
	Iterations        int     `json:"iterations"`
	Language          string  `json:"language"`
	MessagesPerSecond float64 `json:"messages_per_second,omitempty"`
	BytesPerSecond    float64 `json:"bytes_per_second,omitempty"`
	AvgNS             float64 `json:"latency_avg_ns,omitempty"`
	P99NS             float64 `json:"latency_p99_ns,omitempty"`
	RateRatio         float64 `json:"ratio_throughput,omitempty"`
	TimeRatio         float64 `json:"ratio_latency,omitempty"`
	Skipped           string  `json:"skipped,omitempty"`
	Failed            string  `json:"failed,omitempty"`
}

func records(lines []Line) []record {
	var all []record
	for _, l := range lines {
		add := func(language string, f *Figures, r record) {
			r.Mechanism, r.Size, r.Iterations, r.Language = l.Mechanism.Name, l.Size, l.Iterations, language
			if f != nil {
				r.MessagesPerSecond, r.BytesPerSecond, r.AvgNS, r.P99NS = f.MessagesPerSecond, f.BytesPerSecond, f.AvgNS, f.P99NS
			}
			all = append(all, r)
		}
		add("Go", l.Go, record{RateRatio: l.RateRatio, TimeRatio: l.TimeRatio, Skipped: l.Skipped, Failed: l.Failed})
		if l.C != nil || l.SkippedC != "" {
			add("C", l.C, record{Skipped: l.SkippedC})
		}
	}
	return all
}

// JSON writes everything that is known. Ratios stand with Go.
func JSON(w io.Writer, plan *Plan, lines []Line) error {
	type winner struct {
		Size       int    `json:"size_bytes"`
		Throughput string `json:"throughput"`
		Simplicity string `json:"simplicity"`
	}
	out := struct {
		Machine measure.Machine `json:"machine"`
		Runs    int             `json:"runs"`
		Pin     []int           `json:"pin,omitempty"`
		Results []record        `json:"results"`
		Winners []winner        `json:"winners"`
	}{measure.DescribeMachine(context.Background()), plan.Runs, plan.Pin, records(lines), nil}
	for _, s := range plan.Sizes {
		var of []Line
		for _, l := range lines {
			if l.Size == s {
				of = append(of, l)
			}
		}
		raw, simple := Winners(of)
		out.Winners = append(out.Winners, winner{s, raw, simple})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// csvHeader are the names of the JSON.
var csvHeader = []string{"mechanism", "size_bytes", "iterations", "language", "messages_per_second", "bytes_per_second",
	"latency_avg_ns", "latency_p99_ns", "ratio_throughput", "ratio_latency", "skipped", "failed"}

// CSV writes a line for each mechanism, size and language. What was not measured is
// an empty field.
func CSV(w io.Writer, _ *Plan, lines []Line) error {
	out := csv.NewWriter(w)
	number := func(x float64) string {
		if x == 0 {
			return ""
		}
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	_ = out.Write(csvHeader) // csv.Writer keeps its first error for Error
	for _, r := range records(lines) {
		_ = out.Write([]string{r.Mechanism, strconv.Itoa(r.Size), strconv.Itoa(r.Iterations), r.Language,
			number(r.MessagesPerSecond), number(r.BytesPerSecond), number(r.AvgNS), number(r.P99NS),
			number(r.RateRatio), number(r.TimeRatio), r.Skipped, r.Failed})
	}
	out.Flush()
	return out.Error()
}
