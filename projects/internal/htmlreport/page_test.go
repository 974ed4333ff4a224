package htmlreport_test

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/htmlreport"
	"unpipc/projects/internal/measure"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// results are those of a run, and rows that nobody's benchmark has.
func results(t *testing.T) *measure.Results {
	t.Helper()
	res, err := measure.Load(filepath.Join("testdata", "results.json"))
	require.NoError(t, err)
	hostile := res.Rows[0]
	hostile.Name = `bw_</script></style><script>document.title = "broken"</script>`
	hostile.What, hostile.Check = `"><img src=x onerror="document.title='broken'">`, `javascript:alert(1)`
	failed := measure.Result{Group: "transfer", Name: "bw_broken", What: "messages", Check: "sums", Size: 64, Unit: measure.Messages,
		Failed: `C: message 7: <b>wrong</b> "sequence" number`}
	res.Rows = append(res.Rows, hostile, failed)
	return res
}

func write(t *testing.T, res *measure.Results) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, htmlreport.Write(&b, res))
	file := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(file, b.Bytes(), 0o644))
	return file
}

func text(t *testing.T, res *measure.Results) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, htmlreport.Write(&b, res))
	return b.String()
}

func TestPageIsOneFileThatNamesNoOther(t *testing.T) {
	page := text(t, results(t))
	for _, part := range []string{"<link", "<img", "<iframe", "src=", "@import", "url(", "http://", "https://"} {
		// The hostile row's text has some, as text.
		found := strings.Count(strings.ReplaceAll(page, "&lt;img src=x", ""), part)
		assert.Zero(t, found, part)
	}
	assert.Equal(t, 1, strings.Count(page, "<script>"))
	assert.Equal(t, 1, strings.Count(page, "</script>"))
	assert.Equal(t, 1, strings.Count(page, "</style>"))
}

func TestFailedRowHasItsReasonAndNoFigures(t *testing.T) {
	page := text(t, results(t))
	assert.Contains(t, page, "message 7: &lt;b&gt;wrong&lt;/b&gt;")
	assert.Contains(t, page, `<section id="failed"`)
	assert.Contains(t, page, `<tr class="failed">`)
}

func TestSkippedRowHasItsReason(t *testing.T) {
	page := text(t, results(t))
	assert.Contains(t, page, `<section id="skipped"`)
	assert.Regexp(t, `not possible here: Go: a message of 16384 bytes is over the limit`, page)
}

// Every part of the page is made of rows that may be missing.
func TestRunOfSomeRowsGivesAPageOfThose(t *testing.T) {
	whole := results(t)
	for _, part := range []struct {
		only string // rows' names
		has  []string
	}{
		{"^$", nil},
		{"^bw_", []string{"throughput", "ratios", "tables"}},
		{"^lat_pipe$", []string{"latency", "ratios", "tables"}},
		{"^call_", []string{"ratios", "tables"}},
		{"^incr_mutex_threads$", []string{"locks"}},
		{"^bw_broken$", []string{"failed", "tables"}},
		{"^kv_", nil},
		{"^lat_rpc", []string{"ratios", "tables"}},
		{"^bw_posix_mq$", []string{"throughput", "skipped"}},
	} {
		t.Run(part.only, func(t *testing.T) {
			res := *whole
			res.Rows = nil
			for _, r := range whole.Rows {
				if regexp.MustCompile(part.only).MatchString(r.Name) {
					res.Rows = append(res.Rows, r)
				}
			}
			page := text(t, &res)
			for _, id := range []string{"failed", "throughput", "latency", "locks", "ratios", "skipped", "tables"} {
				if section := fmt.Sprintf(`<section id="%s"`, id); strings.Contains(page, section) {
					assert.Contains(t, page, `href="#`+id+`"`, "the contents name it")
				} else {
					assert.NotContains(t, page, `href="#`+id+`"`)
				}
			}
			for _, id := range part.has {
				assert.Contains(t, page, fmt.Sprintf(`<section id="%s"`, id))
			}
			assert.NotContains(t, page, "NaN")
			assert.NotContains(t, page, "Inf%")
		})
	}
	assert.Contains(t, text(t, &measure.Results{}), "a machine that did not say what it is")
}

func TestFiguresOfAnySizeHavePlaces(t *testing.T) {
	place := regexp.MustCompile(`(?:left|top|width):([^;%"]*)%`)
	for _, figures := range [][]float64{{1}, {5, 5}, {1e-9, 1e12}, {0.99, 1.01}} {
		res := &measure.Results{Runs: 1}
		for i, x := range figures {
			ratio := &measure.Ratio{Values: []float64{x}, Median: x, Min: x, Max: x, Goal: 0.9, Met: new(bool)}
			times := &measure.Times{Avg: x, Quantiles: []measure.Quantile{{Q: 0.5, NS: int64(x)}, {Q: 1, NS: int64(x)}}}
			variants := []measure.VariantResult{
				{Name: "Go", Values: []float64{x}, Median: x, Min: x, Max: x, Times: times},
				{Name: "C", Values: []float64{x}, Median: x, Min: x, Max: x, Times: times, Ratio: ratio}}
			res.Rows = append(res.Rows,
				measure.Result{Group: "transfer", Name: "bw_pipe", Size: 1 << i, Unit: measure.Messages, Variants: variants},
				measure.Result{Group: "transfer", Name: "lat_pipe", Size: 1 << i, Unit: measure.Nanoseconds, LowerIsBetter: true, Variants: variants},
				measure.Result{Group: "lock contention", Name: "incr_mutex_threads", Workers: 1 << i, Unit: "increments/s", Variants: variants})
		}
		_, page, _ := strings.Cut(text(t, res), "</style>")
		for _, id := range []string{"throughput", "latency", "locks", "ratios"} {
			assert.Contains(t, page, fmt.Sprintf(`<section id="%s"`, id))
		}
		places := place.FindAllStringSubmatch(page, -1)
		assert.NotEmpty(t, places)
		for _, p := range places {
			at, err := strconv.ParseFloat(p[1], 64)
			assert.NoError(t, err)
			assert.True(t, at >= 0 && at <= 100, "%v: %v", figures, p[0])
		}
	}
}

func TestOldResultsWithoutACurveHaveThePercentilesThereAre(t *testing.T) {
	res := results(t)
	for i := range res.Rows {
		for j := range res.Rows[i].Variants {
			if times := res.Rows[i].Variants[j].Times; times != nil {
				times.Quantiles = nil
			}
		}
	}
	assert.Contains(t, text(t, res), `<section id="latency"`)
}

func TestErrorOfTheWriterComesBack(t *testing.T) {
	in, out, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, in.Close())
	require.NoError(t, out.Close())
	assert.ErrorIs(t, htmlreport.Write(out, results(t)), os.ErrClosed)
}

// look is a way to look at the page.
type look struct {
	name          string
	width, height int
	media         map[string]any
}

func scheme(name string) map[string]any {
	return map[string]any{"media": "screen", "features": []any{map[string]any{"name": "prefers-color-scheme", "value": name}}}
}

// inPage has what the looks ask of the page.
//
//go:embed testdata/inpage.js
var inPage string

// TestPageInABrowser looks at the page as a reader does: on a phone and on a desk, in
// light and in dark, and on paper. Its pictures are kept with -artifacts.
func TestPageInABrowser(t *testing.T) {
	file := write(t, results(t))
	b := startBrowser(t)
	pictures := t.ArtifactDir()
	for _, l := range []look{
		{"phone-light", 360, 740, scheme("light")},
		{"phone-dark", 360, 740, scheme("dark")},
		{"desktop-light", 1280, 900, scheme("light")},
		{"desktop-dark", 1280, 900, scheme("dark")},
	} {
		b.open(file, l.width, l.height, l.media)
		b.evaluate(inPage, nil)
		b.picture(filepath.Join(pictures, l.name+".png"), nil)

		var title string
		b.evaluate("document.title", &title)
		assert.NotEqual(t, "broken", title, "%s: a row's name became a script", l.name)
		var width int
		b.evaluate("document.documentElement.clientWidth", &width)
		assert.Equal(t, l.width, width, "%s: the page is as wide as the device", l.name)
		var problems []string
		for _, look := range []string{"wider()", "overlapping()", "faint()", "withoutTable()"} {
			b.evaluate(look, &problems)
			assert.Empty(t, problems, "%s: %s", l.name, look)
		}
		if l.name == "phone-dark" { // the tables, too
			b.evaluate(`document.querySelectorAll("details").forEach((d) => { d.open = true })`, nil)
			for _, look := range []string{"wider()", "faint()"} {
				b.evaluate(look, &problems)
				assert.Empty(t, problems, "%s, opened: %s", l.name, look)
			}
			b.evaluate(`document.querySelectorAll("details").forEach((d) => { d.open = false })`, nil)
		}
		var dark bool
		b.evaluate("luminance(rgb(getComputedStyle(document.documentElement).backgroundColor)) < 0.2", &dark)
		assert.Equal(t, strings.HasSuffix(l.name, "dark"), dark, l.name)

		// Each view of each chart has lines; what is seen of the chart is not blank.
		var views []struct {
			Chart, View string
			Clip        map[string]any
		}
		b.evaluate("lines()", &problems)
		assert.Empty(t, problems, l.name)
		b.evaluate("charts()", &views)
		require.GreaterOrEqual(t, len(views), 4, "%s: charts", l.name)
		for _, v := range views {
			shot := b.picture(filepath.Join(pictures, l.name+"-"+v.Chart+".png"), v.Clip)
			img, err := png.Decode(bytes.NewReader(shot))
			require.NoError(t, err)
			part := ink(img)
			assert.Greater(t, part, 0.002, "%s: %s has something drawn", l.name, v.Chart)
			assert.Less(t, part, 0.6, "%s: %s is no blot", l.name, v.Chart)
		}
		b.evaluate("interact()", &problems)
		assert.Empty(t, problems, "%s: interaction", l.name)
		assert.Empty(t, b.complaints(), l.name)
	}

	// A quick run has one size of messages and one number of workers: points, no lines.
	quick := results(t)
	quick.Rows = slices.DeleteFunc(quick.Rows, func(r measure.Result) bool { return r.Size > 0 && r.Size != 64 || r.Workers > 0 && r.Workers != 4 })
	b.open(write(t, quick), 360, 740, scheme("light"))
	b.evaluate(inPage, nil)
	for _, look := range []string{"wider()", "overlapping()", "faint()", "withoutTable()", "lines()"} {
		var problems []string
		b.evaluate(look, &problems)
		assert.Empty(t, problems, "quick: %s", look)
	}
	b.picture(filepath.Join(pictures, "quick.png"), nil)
	assert.Empty(t, b.complaints(), "quick")

	// Paper is white even if the screen is dark, and has no buttons.
	b.open(file, 794, 1123, map[string]any{"media": "print", "features": scheme("dark")["features"]})
	b.evaluate(inPage, nil)
	var problems []string
	b.evaluate("paper()", &problems)
	assert.Empty(t, problems)
	b.picture(filepath.Join(pictures, "print.png"), nil)
	var pdf struct{ Data []byte }
	b.call("Page.printToPDF", map[string]any{"preferCSSPageSize": true, "printBackground": true}, &pdf)
	require.NoError(t, os.WriteFile(filepath.Join(pictures, "print.pdf"), pdf.Data, 0o644))
	assert.True(t, bytes.HasPrefix(pdf.Data, []byte("%PDF-")))
	pages := len(regexp.MustCompile(`/Type\s*/Page\b[^s]`).FindAll(pdf.Data, -1))
	assert.Greater(t, pages, 3)
	assert.Less(t, pages, 60)
	assert.Empty(t, b.complaints(), "print")
}

// The tests of the page would pass over a page that has nothing if the browser saw nothing.
func TestBrowserSeesWhatIsWrongWithAPage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "wrong.html")
	require.NoError(t, os.WriteFile(file, []byte(`<!DOCTYPE html><meta name="viewport" content="width=device-width"><body style="background:#fff"><p style="width:500px;color:#ddd">wide and faint</p>
<figure class="plot" id="x"><div class="view"><div class="frame"><div class="area"><svg></svg></div></div></div></figure>
<script>nothing.at.all()</script><img src="nowhere.png"></body>`), 0o644))
	b := startBrowser(t)
	b.open(file, 360, 740, scheme("light"))
	b.evaluate(inPage, nil)
	for _, look := range []string{"wider()", "faint()", "lines()", "withoutTable()"} {
		var problems []string
		b.evaluate(look, &problems)
		assert.NotEmpty(t, problems, look)
	}
	complaints, err := json.Marshal(b.complaints())
	require.NoError(t, err)
	assert.Contains(t, string(complaints), "nothing is not defined")
	assert.Contains(t, string(complaints), "nowhere.png")
}

// ink is the part of the pixels that are not like the one in the corner.
func ink(img image.Image) float64 {
	box := img.Bounds()
	paper := img.At(box.Min.X, box.Min.Y)
	drawn := 0
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			if img.At(x, y) != paper {
				drawn++
			}
		}
	}
	return float64(drawn) / float64(box.Dx()*box.Dy())
}
