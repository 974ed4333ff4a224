package p17rpcauth

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sunrpc/rpcbindtest"
	"unpipc/projects/internal/programs"
	"unpipc/projects/p17rpcauth/authdes"
)

// stockProgram builds testdata/stock/stock.c where every user may run it.
func stockProgram(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-stock-", os.Getpid()))
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	program := filepath.Join(dir, "stock")
	out, err := exec.Command("gcc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-o", program, "testdata/stock/stock.c", "-ldl").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// keyServer starts a key server and returns once it serves.
func keyServer(t *testing.T, bin string, flags ...string) (stop func()) {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, "rpc_keyserv"), flags...)
	p := ipctest.Start(t, cmd)
	for !strings.HasPrefix(p.Line(), "Serving program 100029 at ") {
	}
	return func() {
		require.NoError(t, cmd.Process.Signal(unix.SIGTERM))
		assert.Empty(t, p.Rest())
	}
}

// as runs a program as another user, and is what it printed, by lines.
func as(t *testing.T, uid uint32, program string, args ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	if int(uid) != os.Geteuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	cmd.Dir = "/"
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	require.NoError(t, err, "%s", complaints.String())
	return strings.Fields(string(out))
}

const otherUser = 54_321

func testStock(t *testing.T, built *programs.Built) {
	if os.Geteuid() != 0 {
		// The place where they look is root's.
		for language, bin := range map[string]string{"Go": built.Go, "C": built.C} {
			out, err := exec.Command(filepath.Join(bin, "rpc_keyserv")).CombinedOutput()
			assert.Error(t, err, language)
			assert.Contains(t, string(out), "/run/keyservsock", language)
		}
		return
	}
	rpcbindtest.Start(t)
	program := stockProgram(t)
	path, _ := realm(t)
	m, err := ReadKeyMap(path)
	require.NoError(t, err)
	rings, public := map[string]authdes.KeyRing{}, map[string]string{}
	for _, name := range []string{"ann@here", "bob@here"} {
		rings[name], err = m.Ring(name, "secret")
		require.NoError(t, err)
		key, err := m.Public(name)
		require.NoError(t, err)
		public[name] = key.String()
	}
	block := authdes.DESKey{1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}
	sealed, err := rings["ann@here"].Seal("bob@here", block)
	require.NoError(t, err)
	plainText, sealedText := hex.EncodeToString(block[:]), hex.EncodeToString(sealed[:])

	for language, bin := range map[string]string{"Go": built.Go, "C": built.C} {
		for _, library := range []string{"glibc", "libtirpc"} {
			t.Run(library+", server in "+language, func(t *testing.T) {
				stop := keyServer(t, bin, "--register", "--keys", path)
				defer stop()
				if library == "libtirpc" { // glibc's asks over UDP, where nobody knows who asks
					assert.Equal(t, []string{"8"}, as(t, 0, program, library, "gendes"))
				}
				assert.Equal(t, []string{"no", "failed", "failed"},
					as(t, 0, program, library, "isset", "encrypt", "bob@here", plainText, "conv", public["bob@here"]))
				assert.Equal(t, []string{"set", "yes", sealedText, plainText, sealedText, plainText},
					as(t, 0, program, library, "set", rings["ann@here"].Secret.String(), "isset",
						"encrypt_pk", "bob@here", public["bob@here"], plainText, "decrypt_pk", "bob@here", public["bob@here"], sealedText,
						"encrypt", "bob@here", plainText, "decrypt", "bob@here", sealedText))
				bobs := as(t, otherUser, program, library, "isset", "encrypt", "ann@here", plainText,
					"setnet", rings["bob@here"].Secret.String(), public["bob@here"], "bob@here", "isset",
					"decrypt", "ann@here", sealedText, "conv", public["ann@here"])
				require.Len(t, bobs, 6)
				assert.Equal(t, []string{"no", "failed", "set", "yes", plainText}, bobs[:5], "another user has another key, or none")
				assert.Equal(t, bobs[5:], as(t, 0, program, library, "conv", public["bob@here"]), "the common key of the two")
				assert.Equal(t, []string{"failed"}, as(t, 0, program, library, "encrypt", "eve@here", plainText))
			})
		}
	}
}

func testSocketMode(t *testing.T, built *programs.Built) {
	want := map[bool]os.FileMode{true: 0o666, false: 0o600}[os.Geteuid() == 0]
	for language, bin := range map[string]string{"Go": built.Go, "C": built.C} {
		socket := filepath.Join(ipctest.Dir(t), "ks-"+language)
		stop := keyServer(t, bin, "--socket", socket)
		st, err := os.Stat(socket)
		require.NoError(t, err)
		assert.Equal(t, want, st.Mode().Perm(), language)
		stop()
		_, err = os.Lstat(socket)
		assert.ErrorIs(t, err, os.ErrNotExist, language)
	}
}
