package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"unpipc/projects/internal/script"
)

func TestOutputIsComparedButForWhatDiffersBetweenTwoRuns(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       likeness
	}{
		{"the same", "one\ntwo\n", "one\ntwo\n", equal},
		{"process numbers and keys", "process 4711, key 0x0000abcd\n", "process 815, key 0xfedcba98\n", equal},
		{"times", "took 0.113 s\n", "took 2.5 s\n", equal},
		{"columns as wide as their numbers", "id   10 x\n", "id 1000 x\n", equal},
		{"what happened at once", "P1 came\nP2 came\n", "P2 came\nP1 came\n", shuffled},
		{"small numbers", "3 readers wait\n", "1 reader waits\n", different},
		{"plurals", "3 readers\n", "1 reader\n", figures},
		{"units", "Pipe 825.8 MB/s 9 µs\n", "Pipe 1.1 GB/s 1.2 ms\n", figures},
		{"more lines of a kind", "W1 got it\nW2 got it\n", "W1 got it\n", figures},
		{"capitals", "x: no such file\n", "x: No such file\n", figures},
		{"a missing line", "one\ntwo\n", "one\n", different},
		{"another word", "PASS\n", "FAIL\n", different},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, outputLikeness(c.a, c.b))
			assert.Equal(t, c.want, outputLikeness(c.b, c.a))
		})
	}
}

func TestAComparisonTellsWhatFailedAndWhatDiffers(t *testing.T) {
	of := func(output, failed string) *script.Transcript {
		return &script.Transcript{Sections: []script.Section{
			{Steps: []script.Step{{Line: "env X=1"}}},
			{Title: "A title", Steps: []script.Step{
				{Line: "until true", Output: "whatever " + output}, {Line: "exec x", Output: output, Failed: failed}}},
		}}
	}
	var out bytes.Buffer
	assert.True(t, writeComparison(&out, of("a\nb\n", ""), of("a\nc\n", "")))
	assert.Equal(t, `
  A title
    Go ok    C ok    other output, which is right too
      Go | b
      C  | c
`, out.String())

	out.Reset()
	assert.False(t, writeComparison(&out, of("a\n", ""), of("a\n", "no match")))
	assert.Contains(t, out.String(), "Go ok    C FAIL  FAILED\n    C:\n")
	assert.Contains(t, out.String(), "        ! no match\n")
}
