// Package report shows the results of the benchmark: as tables to be read, and as
// JSON and CSV to be computed with.
//
// The tables round and scale. JSON is [measure.Results] as it is. CSV has a line
// for each variant of each row with the fields of [Fields]; times are in
// nanoseconds, sizes in bytes, figures in the unit of their row.
package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"unpipc/projects/internal/measure"
)

// JSON writes everything that is known.
func JSON(w io.Writer, res *measure.Results) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(res)
}

// Fields are the columns of [CSV]. An empty field is one that the variant does
// not have. The ratio is ours to the peer on the same line.
var Fields = []string{
	"group", "name", "size_bytes", "workers", "unit", "lower_is_better", "variant",
	"median", "min", "max", "bytes_per_second", "avg_ns", "p50_ns", "p99_ns", "p999_ns", "max_ns",
	"operations", "verified", "ratio_median", "ratio_min", "ratio_max", "goal", "met", "failed", "skipped",
}

// CSV writes one line a variant. A row that failed or could not be measured is one
// line without a variant.
func CSV(w io.Writer, res *measure.Results) error {
	out := csv.NewWriter(w)
	// csv.Writer keeps its first error for Error.
	_ = out.Write(Fields)
	for i := range res.Rows {
		r := &res.Rows[i]
		row := func(fields map[string]string) {
			fields["group"], fields["name"], fields["unit"] = r.Group, r.Name, string(r.Unit)
			fields["lower_is_better"] = strconv.FormatBool(r.LowerIsBetter)
			if r.Size > 0 {
				fields["size_bytes"] = strconv.Itoa(r.Size)
			}
			if r.Workers > 0 {
				fields["workers"] = strconv.Itoa(r.Workers)
			}
			line := make([]string, len(Fields))
			for i, name := range Fields {
				line[i] = fields[name]
			}
			_ = out.Write(line)
		}
		if len(r.Variants) == 0 {
			row(map[string]string{"failed": r.Failed, "skipped": r.Skipped})
		}
		for _, v := range r.Variants {
			row(fields(&v))
		}
	}
	out.Flush()
	return out.Error()
}

func fields(v *measure.VariantResult) map[string]string {
	f := map[string]string{"variant": v.Name, "skipped": v.Skipped}
	if v.Skipped != "" {
		return f
	}
	f["median"], f["min"], f["max"] = decimal(v.Median), decimal(v.Min), decimal(v.Max)
	f["operations"], f["verified"] = fmt.Sprint(v.Operations), fmt.Sprint(v.Verified)
	if v.BytesPerSecond > 0 {
		f["bytes_per_second"] = decimal(v.BytesPerSecond)
	}
	if t := v.Times; t != nil {
		f["avg_ns"], f["p50_ns"], f["p99_ns"] = decimal(t.Avg), fmt.Sprint(t.P50), fmt.Sprint(t.P99)
		f["p999_ns"], f["max_ns"] = fmt.Sprint(t.P999), fmt.Sprint(t.Max)
	}
	if r := v.Ratio; r != nil {
		f["ratio_median"], f["ratio_min"], f["ratio_max"] = decimal(r.Median), decimal(r.Min), decimal(r.Max)
		if r.Met != nil {
			f["goal"], f["met"] = decimal(r.Goal), strconv.FormatBool(*r.Met)
		}
	}
	return f
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
