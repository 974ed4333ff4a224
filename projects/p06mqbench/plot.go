package p06mqbench

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Plot writes an SVG with Go's throughput and latency by message size. The file takes
// its name when it is whole.
func Plot(file string, lines []Line) error {
	throughput, err := panel("Throughput by message size, Go", "MB/s", lines, func(f *Figures) float64 { return f.BytesPerSecond / 1e6 })
	if err != nil {
		return err
	}
	latency, err := panel("Latency by message size, Go: half of a round trip, average", "µs", lines, func(f *Figures) float64 { return f.AvgNS / 1e3 })
	if err != nil {
		return err
	}
	// Where the lines are not.
	throughput.Legend.Left, throughput.Legend.Top = true, true
	latency.Legend.Left, latency.Legend.Top = true, true

	const width, height = 24 * vg.Centimeter, 26 * vg.Centimeter
	canvas := vgsvg.New(width, height)
	tiles := draw.Tiles{Rows: 2, Cols: 1, PadTop: vg.Centimeter / 2, PadBottom: vg.Centimeter / 2,
		PadLeft: vg.Centimeter / 2, PadRight: vg.Centimeter, PadY: vg.Centimeter}
	for i, row := range plot.Align([][]*plot.Plot{{throughput}, {latency}}, tiles, draw.New(canvas)) {
		[]*plot.Plot{throughput, latency}[i].Draw(row[0])
	}
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return err
	}
	return writeFile(file, svg.Bytes())
}

// panel is one plot with logarithmic axes, a line for each mechanism.
func panel(title, unit string, lines []Line, value func(*Figures) float64) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text, p.Y.Label.Text = "message size", unit
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.Y.Tick.Marker = plot.LogTicks{Prec: -1}
	p.Legend.Padding = vg.Points(3)
	p.Add(plotter.NewGrid())
	var ticks plot.ConstantTicks
	seen := map[int]bool{}
	for i := range Mechanisms {
		var points plotter.XYs
		for _, l := range lines {
			if l.Mechanism == &Mechanisms[i] && l.Go != nil {
				points = append(points, plotter.XY{X: float64(l.Size), Y: value(l.Go)})
			}
			if !seen[l.Size] {
				seen[l.Size] = true
				ticks = append(ticks, plot.Tick{Value: float64(l.Size), Label: size(l.Size)})
			}
		}
		if len(points) == 0 {
			continue
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = plotutil.Color(i), vg.Points(1.5)
		dots.Color, dots.Shape = plotutil.Color(i), plotutil.Shape(i)
		p.Add(line, dots)
		p.Legend.Add(Mechanisms[i].Name, line, dots)
	}
	if p.X.Min >= p.X.Max {
		return nil, errors.New("a plot needs figures of at least two message sizes")
	}
	p.X.Tick.Marker = ticks
	// Whole decades, or equal figures would have no scale.
	p.Y.Min = math.Pow10(int(math.Floor(math.Log10(p.Y.Min))))
	p.Y.Max = math.Pow10(int(math.Floor(math.Log10(p.Y.Max))) + 1)
	return p, nil
}

func writeFile(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
