package p16rpccalc

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sunrpc"
	"unpipc/gobind/sunrpc/rpcbindtest"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) {
	if ipctest.Isolated() || sunrpc.LocalRpcbind.Ping(context.Background()) != nil {
		rpcbindtest.Start(t)
	}
	script.Test(t, "p16rpccalc")
}

func testWithoutRpcbind(t *testing.T, bin string) {
	rpcbindtest.Lock(t)
	ipctest.Require(t, sunrpc.LocalRpcbind.Ping(context.Background()) != nil, "a host without rpcbind")
	for program, args := range map[string][]string{
		"calc_server": nil, "calc_client": {"localhost", "add", "5", "3"},
	} {
		out, err := exec.Command(filepath.Join(bin, program), args...).CombinedOutput()
		require.Error(t, err)
		assert.Regexp(t, "^"+program+": .*no rpcbind .*--port needs none\n$", string(out))
	}
}
