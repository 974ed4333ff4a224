// Package htmlreport writes the results of a run of the benchmark as one HTML file that
// needs nothing else: no network, no fonts, no other file.
//
// The charts are drawn here, as SVG for the lines and HTML for every text and point over
// it, and not by a library in the page. So they are there without a script, are printed
// as sharply as text, take their colors from the style sheet in light and in dark, keep
// the size of their letters at any width, and can be tested without a browser; and the
// file stays small. The script only adds what needs one: choosing a view, pointing at a
// line, and the figure at the pointer.
//
// Whatever comes from the results is escaped by html/template for the place where it
// stands, and the page's policy runs no script but the one it was written with.
package htmlreport

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/mechanism"
	"unpipc/projects/internal/report"
)

//go:embed page.html
var pageText string

//go:embed page.css
var style string

//go:embed page.js
var script string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"memory": func(bytes uint64) string { return report.Size(int(bytes)) },
	"varied": report.Varied,
}).Parse(pageText))

// page is what the template shows.
type page struct {
	Style      template.CSS
	Script     template.JS
	Policy     string
	Machine    *measure.Machine
	Date       string
	Facts      []fact
	Findings   []mechanism.Finding
	Charts     []*chart
	Ratios     []*ratioGroup
	RatioTicks []tick
	Failed     []measure.Result
	Skipped    []measure.Result
	Tables     []*table
	Method     string   // of the whole run
	Rows       []string // what is measured and verified
	Summary    string
	Busy       bool
}

// fact is a figure at the head of the page.
type fact struct {
	Figure, What string
	Class        string
}

// Write writes the page. A part that the run has no rows for is left out.
func Write(w io.Writer, res *measure.Results) error {
	p := &page{
		Style: template.CSS(style), Script: template.JS(script), Policy: policy(),
		Machine: &res.Machine, Date: date(res), Facts: facts(res),
		Findings: mechanism.Findings(res), Tables: groupTables(res),
		Ratios: ratios(res), RatioTicks: ratioTicks,
		Summary: report.Summary(res), Busy: res.Machine.Busy(),
	}
	method := report.Method(res)
	p.Method, p.Rows = strings.TrimPrefix(method[0], "Method: "), method[1:]
	for _, c := range []*chart{throughput(res), latency(res), locks(res)} {
		if c != nil {
			p.Charts = append(p.Charts, c)
		}
	}
	for _, r := range res.Rows {
		switch {
		case r.Failed != "":
			p.Failed = append(p.Failed, r)
		case r.Skipped != "":
			p.Skipped = append(p.Skipped, r)
		}
	}
	return pageTemplate.Execute(w, p)
}

// policy allows the page's own script by its digest and loads nothing.
func policy() string {
	sum := sha256.Sum256([]byte(script))
	return fmt.Sprintf("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-%s'",
		base64.StdEncoding.EncodeToString(sum[:]))
}

func date(res *measure.Results) string {
	if res.Started.IsZero() {
		return res.Machine.Date
	}
	return res.Started.Format("2 January 2006, 15:04 MST")
}

// facts count what the run has.
func facts(res *measure.Results) []fact {
	var measured, goals, met int
	var operations int64
	for _, r := range res.Rows {
		if len(r.Variants) > 0 {
			measured++
		}
		for _, v := range r.Variants {
			operations += v.Verified
			if v.Ratio != nil && v.Ratio.Met != nil {
				goals++
				if *v.Ratio.Met {
					met++
				}
			}
		}
	}
	failed := len(res.Failures())
	all := []fact{
		{fmt.Sprint(measured), "rows measured", ""},
		{report.SI(float64(operations), ""), "operations verified", ""},
	}
	if goals > 0 {
		all = append(all, fact{fmt.Sprintf("%d of %d", met, goals), "goals met", ""})
	}
	if failed > 0 {
		all = append(all, fact{fmt.Sprint(failed), "rows failed", "bad"})
	}
	if skipped := len(res.Rows) - measured - failed; skipped > 0 {
		all = append(all, fact{fmt.Sprint(skipped), "rows not possible here", ""})
	}
	if res.Seconds > 0 {
		took := (time.Duration(res.Seconds) * time.Second).String()
		all = append(all, fact{strings.NewReplacer("h", " h ", "m", " min ", "s", " s").Replace(took), "of measuring", ""})
	}
	return all
}
