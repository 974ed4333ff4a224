package p17rpcauth

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPolicyAllowsWhatOneOfItsRulesSays(t *testing.T) {
	uid, gid := func(n uint32) identity { return number("uid", n) }, func(n uint32) identity { return number("gid", n) }
	ann := identity{"name", "ann@here"}
	for name, c := range map[string]struct {
		rules   []string
		call    string
		who     []identity
		allowed bool
	}{
		"without rules everything":          {nil, "add", nil, true},
		"the uid":                           {[]string{"add: uid 7"}, "add", []identity{uid(7), gid(1)}, true},
		"another uid":                       {[]string{"add: uid 7"}, "add", []identity{uid(8), gid(7)}, false},
		"another procedure":                 {[]string{"add: uid 7"}, "subtract", []identity{uid(7)}, false},
		"one of several callers":            {[]string{"add: uid 7, gid 9,name ann@here"}, "add", []identity{ann}, true},
		"one of several groups":             {[]string{"add: gid 9"}, "add", []identity{uid(1), gid(8), gid(9)}, true},
		"one of several procedures":         {[]string{"add , subtract:uid 7"}, "subtract", []identity{uid(7)}, true},
		"all procedures":                    {[]string{"all: uid 7"}, "evaluate", []identity{uid(7)}, true},
		"all procedures, also unknown ones": {[]string{"all: uid 7"}, procedure(77), []identity{uid(7)}, true},
		"anybody":                           {[]string{"add: anybody"}, "add", nil, true},
		"anybody, but only there":           {[]string{"add: anybody"}, "subtract", nil, false},
		"nobody without a name":             {[]string{"add: uid 0"}, "add", nil, false},
		"a later rule":                      {[]string{"add: uid 1", "add: uid 2"}, "add", []identity{uid(2)}, true},
		"a name is no principal":            {[]string{"add: principal ann@here"}, "add", []identity{ann}, false},
		"a number is one, however written":  {[]string{"add: uid 007"}, "add", []identity{uid(7)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var p Policy
			for _, rule := range c.rules {
				require.NoError(t, p.Add(rule))
			}
			assert.Equal(t, c.allowed, p.allows(c.call, c.who))
		})
	}
}

func TestWhatIsNoRuleIsRefused(t *testing.T) {
	for _, rule := range []string{
		"", "add", ":", "add:", "add: ", ": uid 0", "power: uid 0", "null: uid 0", "add: uid", "add: uid x", "add: uid -1",
		"add: uid 4294967296", "add: uid 1 2", "add: user ann", "add: anybody 1", "add: uid 1,", "add,: uid 1", "add: uid 1: gid 2",
	} {
		var p Policy
		assert.Error(t, p.Add(rule), rule)
	}
}

func TestAPolicysFileIsReadLineByLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy")
	require.NoError(t, os.WriteFile(path, []byte("# who\n\n  add: uid 1\nall: gid 2"), 0o600))
	var p Policy
	require.NoError(t, p.AddFile(path))
	assert.True(t, p.allows("add", []identity{number("uid", 1)}))
	assert.True(t, p.allows("divide", []identity{number("gid", 2)}))
	assert.False(t, p.allows("divide", []identity{number("uid", 1)}))

	require.NoError(t, os.WriteFile(path, []byte("add: uid 1\nadd uid 1\n"), 0o600))
	assert.ErrorContains(t, p.AddFile(path), path+":2: ")
	require.NoError(t, os.WriteFile(path, make([]byte, 100_000), 0o600))
	assert.ErrorContains(t, p.AddFile(path), "too long")
	assert.ErrorIs(t, p.AddFile(path+"x"), os.ErrNotExist)
}
