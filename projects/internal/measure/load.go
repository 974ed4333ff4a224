package measure

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// What is written at the head of [Results].
const (
	Format = "unpipc benchmark results"
	// Version changes when a program that knew the one before would misread the figures.
	Version = 1
)

// Load reads results from a file; its name is in every error.
func Load(path string) (*Results, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	res, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return res, nil
}

// Read reads results as JSON, to the end of r, and refuses what "ipc_suite benchmark"
// cannot have written: what a reader may count on is in [Results.Validate].
func Read(r io.Reader) (*Results, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	// The head first: of another format or version nothing else need make sense.
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	var syntax *json.SyntaxError
	err = json.Unmarshal(text, &head)
	switch {
	case len(text) == 0:
		return nil, errors.New("an empty file")
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(text)):
		return nil, fmt.Errorf("the file is cut short after %d bytes", len(text))
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("no results of ipc_suite benchmark --format json: byte %d: %w", syntax.Offset, err)
	case err != nil || head.Format != Format:
		return nil, errors.New("no results of ipc_suite benchmark --format json")
	case head.Version != Version:
		return nil, fmt.Errorf("results of version %d; this program reads version %d", head.Version, Version)
	}
	res := new(Results)
	if err := json.Unmarshal(text, res); err != nil {
		return nil, err
	}
	return res, res.Validate()
}

// Validate says what is wrong with results: a row without a name or unit; one that does
// not have exactly one of a failure, a reason to be skipped, and variants; a figure that
// is not positive; a median that is not between the least and the greatest; ratios that
// are not one for each of our rounds.
func (r *Results) Validate() error {
	if r.Runs < 1 || r.Rows == nil {
		return errors.New("no rounds, or no rows")
	}
	for i := range r.Rows {
		if err := r.Rows[i].validate(); err != nil {
			return fmt.Errorf("row %d (%s): %w", i+1, r.Rows[i].Name, err)
		}
	}
	return nil
}

func (r *Result) validate() error {
	kinds := 0
	for _, is := range []bool{r.Failed != "", r.Skipped != "", len(r.Variants) > 0} {
		if is {
			kinds++
		}
	}
	switch {
	case r.Name == "" || r.Group == "" || r.Unit == "" || r.Size < 0:
		return errors.New("no name, group or unit")
	case r.LowerIsBetter != r.Unit.LowerIsBetter():
		return fmt.Errorf("lower_is_better is %t of %s", r.LowerIsBetter, r.Unit)
	case kinds != 1:
		return errors.New("of failed, skipped and variants exactly one is needed")
	}
	for i := range r.Variants {
		v := &r.Variants[i]
		if v.Skipped != "" && i > 0 {
			continue
		}
		if err := v.validate(i == 0, len(r.Variants[0].Values)); err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
	}
	return nil
}

func (v *VariantResult) validate(ours bool, rounds int) error {
	if v.Name == "" || v.Skipped != "" || len(v.Values) != rounds || ours != (v.Ratio == nil) {
		return errors.New("a variant without a name, its rounds, or the ratio to ours")
	}
	if err := figures(v.Values, v.Median, v.Min, v.Max); err != nil {
		return err
	}
	if v.Ratio != nil {
		if len(v.Ratio.Values) != rounds {
			return fmt.Errorf("%d ratios of %d rounds", len(v.Ratio.Values), rounds)
		}
		if err := figures(v.Ratio.Values, v.Ratio.Median, v.Ratio.Min, v.Ratio.Max); err != nil {
			return fmt.Errorf("ratio: %w", err)
		}
	}
	if v.Times == nil {
		return nil
	}
	last := Quantile{Q: -1}
	for _, q := range v.Times.Quantiles {
		if !(q.Q > last.Q && q.Q <= 1 && q.NS >= last.NS) {
			return fmt.Errorf("quantile %g: %d ns, out of order", q.Q, q.NS)
		}
		last = q
	}
	return nil
}

func figures(values []float64, median, least, greatest float64) error {
	if len(values) == 0 {
		return errors.New("no figures")
	}
	for _, x := range append([]float64{median, least, greatest}, values...) {
		if !(x > 0) || math.IsInf(x, 0) || x < least || x > greatest {
			return fmt.Errorf("the figure %g, of %g to %g", x, least, greatest)
		}
	}
	return nil
}
