package report

import "unpipc/projects/internal/measure"

// Figure is a value of a row with its unit, in three digits: 2.21 M msg/s, 8.50 µs.
func Figure(x float64, r *measure.Result) string { return figure(x, r) }

// Seconds is a time of ns nanoseconds in three digits: 8.50 µs.
func Seconds(ns float64) string { return seconds(ns) }

// Size is a number of bytes: 64 B, 4 KiB.
func Size(n int) string { return bytes(n) }

// SI is a number in three digits with a prefix and a unit: 141 MB/s.
func SI(x float64, unit string) string { return si(x, unit) }

// Spread is how far the rounds were from their median at most: ±7 %.
func Spread(median, least, greatest float64) string { return spread(median, least, greatest) }

// Goal is a ratio's bound and whether it was met; empty where there is none.
func Goal(r *measure.Ratio, lowerIsBetter bool) string { return goal(r, lowerIsBetter) }

// Method is how the figures came about, a line each: the rounds, and what of each group
// was measured and verified.
func Method(res *measure.Results) []string { return method(res) }

// Summary counts the rows and the goals in one line.
func Summary(res *measure.Results) string { return summary(res) }
