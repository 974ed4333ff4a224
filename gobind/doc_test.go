package gobind_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheMapNamesEveryPackageAndNoOther(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	var named []string
	for _, row := range regexp.MustCompile(`(?m)^//\t(\w+)  +\S.*$`).FindAllSubmatch(doc, -1) {
		if name := string(row[1]); name != "package" {
			named = append(named, name)
		}
	}
	folders, err := os.ReadDir(".")
	require.NoError(t, err)
	var there []string
	for _, f := range folders {
		if f.IsDir() && f.Name() != "internal" {
			there = append(there, f.Name())
		}
	}
	assert.ElementsMatch(t, there, named)
}
