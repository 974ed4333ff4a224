package sunrpc_test

import (
	"context"
	"errors"
	"fmt"
	"net"
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

	"unpipc/gobind/calc"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sunrpc"
)

// realm starts a Kerberos realm of its own, on a port of loopback, with the principals
// alice and calc/localhost, and makes this process alice and the server at once.
func realm(t *testing.T) {
	for _, program := range []string{"krb5kdc", "kdb5_util", "kadmin.local", "kinit"} {
		_, err := exec.LookPath(program)
		ipctest.Require(t, err == nil, program+" of krb5-kdc, krb5-admin-server, krb5-user")
	}
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	free, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	port := free.LocalAddr().(*net.UDPAddr).Port
	require.NoError(t, free.Close())

	require.NoError(t, os.WriteFile(in("krb5.conf"), []byte(fmt.Sprintf(`[libdefaults]
	default_realm = TEST
	dns_lookup_kdc = false
	dns_lookup_realm = false
	dns_canonicalize_hostname = false
	rdns = false
	qualify_shortname = ""
[realms]
	TEST = {
		kdc = 127.0.0.1:%d
	}
[domain_realm]
	localhost = TEST
[logging]
	default = FILE:%s
	kdc = FILE:%s
`, port, in("log"), in("log"))), 0o600))
	require.NoError(t, os.WriteFile(in("kdc.conf"), []byte(fmt.Sprintf(`[kdcdefaults]
	kdc_listen = 127.0.0.1:%d
	kdc_tcp_listen = ""
[realms]
	TEST = {
		database_name = %s
		key_stash_file = %s
		acl_file = %s
	}
`, port, in("principals"), in("stash"), in("acl"))), 0o600))
	for name, value := range map[string]string{
		"KRB5_CONFIG": in("krb5.conf"), "KRB5_KDC_PROFILE": in("kdc.conf"),
		"KRB5_KTNAME": in("keytab"), "KRB5CCNAME": "FILE:" + in("cache"), "KRB5RCACHENAME": "none:",
	} {
		t.Setenv(name, value)
	}
	run := func(name string, args ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(background, time.Minute)
		defer cancel()
		out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
		require.NoError(t, err, "%s %v: %s", name, args, out)
	}
	run("kdb5_util", "create", "-s", "-P", "master", "-r", "TEST")
	for _, principal := range []string{"alice", "calc/localhost"} {
		run("kadmin.local", "-r", "TEST", "addprinc", "-randkey", principal)
		run("kadmin.local", "-r", "TEST", "ktadd", "-k", in("keytab"), principal)
	}
	kdc := exec.Command("krb5kdc", "-n", "-r", "TEST")
	kdc.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, kdc.Start())
	t.Cleanup(func() { kdc.Process.Kill(); kdc.Wait() })
	ipctest.Eventually(t, func() bool {
		log, _ := os.ReadFile(in("log"))
		return strings.Contains(string(log), "commencing operation")
	}, "the KDC is ready")
	run("kinit", "-k", "-t", in("keytab"), "alice")
}

func TestACallerIsWhoKerberosSays(t *testing.T) {
	realm(t)
	var seen sunrpc.GSSPeer
	s := &serving{Server: sunrpc.NewServer(sunrpc.ServerOptions{})}
	calc.Handle(s.Server, &calculator{apply: func(r *sunrpc.Request, _ calc.Operation, a, b int32) (int32, error) {
		var ok bool
		if seen, ok = r.GSS(); !ok {
			return 0, sunrpc.AuthTooWeak
		}
		return a + b, nil
	}})
	require.NoError(t, s.ServeGSS("calc@localhost", sunrpc.Kerberos))
	var err error
	s.addr, err = s.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.run(t)
	for range 2 { // so that the second connections find nothing of the first ones
		for _, p := range []sunrpc.Protection{sunrpc.Authentication, sunrpc.Integrity, sunrpc.Privacy} {
			c, err := sunrpc.Dial(background, "tcp", s.addr.String(), calc.V2, sunrpc.Options{Auth: sunrpc.GSS{Principal: "calc@localhost", Protection: p}})
			require.NoError(t, err)
			for i := range int32(20) {
				n, err := calc.NewClient(c, 2).Apply(background, calc.Add, 40, i)
				require.NoError(t, err)
				require.Equal(t, 40+i, n)
				require.Equal(t, sunrpc.GSSPeer{Principal: "alice@TEST", Mechanism: sunrpc.Kerberos, Protection: p}, seen)
			}
			require.NoError(t, c.Close())
		}
	}
	_, err = calc.NewClient(s.dial(t, sunrpc.Options{Auth: sunrpc.CurrentUser()}), 2).Apply(background, calc.Add, 1, 1)
	assert.ErrorIs(t, err, sunrpc.AuthTooWeak)

	// libtirpc loses some memory when there is no context, which the address sanitizer
	// would tell of.
	refused := ipctest.Command(t, "GSS client", s.addr.String())
	refused.Env = append(os.Environ(), "ASAN_OPTIONS=detect_leaks=0")
	out, err := refused.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "dial program 0x31230000 version 2: authentication error: unspecified: ")
	assert.Contains(t, string(out), "not found in Kerberos database")
}

var _ = ipctest.Role("GSS client", func(args []string) int {
	_, err := sunrpc.Dial(background, "tcp", args[0], calc.V2, sunrpc.Options{Auth: sunrpc.GSS{Principal: "other@localhost"}})
	fmt.Println(err)
	if !errors.Is(err, sunrpc.AuthFailed) || !errors.Is(err, unix.EACCES) {
		return 1
	}
	return 0
})

func TestAServerThatDoesNotServeGSSRejectsIt(t *testing.T) {
	s := start(t, "tcp", &calculator{}, sunrpc.ServerOptions{})
	conn := s.raw(t)
	gss := callMessage(9, 0)
	gss = append(append(append([]byte(nil), gss[:24]...), words(6, 20, 1, 1, 0, 1, 0)...), gss[32:]...)
	_, err := conn.Write(record(gss))
	require.NoError(t, err)
	_, rest := reply(t, conn)
	assert.Equal(t, words(1, 1, 1, 2), rest)
}
