// Command rpc_keyserv keeps the secret keys of AUTH_DES, and gives them to itself.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p17rpcauth"
	"unpipc/projects/p17rpcauth/keyserver"
)

func main() {
	p := cli.New("rpc_keyserv", "\n       rpc_keyserv [flags] login NETNAME\n       rpc_keyserv [flags] logout",
		"Without arguments a key server, program 100029, until SIGINT or SIGTERM. It keeps the\n"+
			"secret keys of users, who are known by the kernel, and uses them in their place.\n"+
			"login gives it the caller's key, opened with a password; logout has it forget it.",
		"  rpc_keyserv --socket ks &\n"+
			"  rpc_keyserv --socket ks --keys keys --password-file pass login unix.1000@example.org")
	var o keyserver.Options
	var keys p17rpcauth.Keys
	p.StringVar(&o.Socket, "socket", "/run/keyservsock", "at this `file`; glibc looks for it at the default")
	p.BoolVar(&o.Register, "register", false, "tell rpcbind, which libtirpc asks")
	p.StringVar(&keys.Path, "keys", "", "netnames and their keys are in this `file`, see rpc_keygen")
	p.StringVar(&keys.PasswordFile, "password-file", "", "for login: the password is in this `file`; else it is asked for")
	p.StringVar(&o.Domain, "domain", keyserver.Domain(), "unix.UID@`name` is the netname of a user of this host")
	p.Parse(os.Args[1:])
	verb := p.Arg(0)
	switch {
	case verb == "login" && p.NArg() != 2:
		p.BadUsage("login wants one netname")
	case verb == "login" && keys.Path == "":
		p.BadUsage("login needs --keys")
	case verb != "login" && p.Changed("password-file"):
		p.BadUsage("--password-file is for login")
	case verb == "logout" && p.NArg() != 1:
		p.BadUsage("logout takes no arguments")
	case verb != "login" && verb != "logout" && p.NArg() > 0:
		p.BadUsage("%s is not login or logout", verb)
	case o.Socket == "":
		p.BadUsage("--socket: which file?")
	}
	signal.Ignore(syscall.SIGPIPE) // a write to a closed standard output is an error
	keys.KeyServer = o.Socket
	if keys.Path != "" {
		o.Public = keys.Public
	}
	switch verb {
	case "login":
		keys.Name = p.Arg(1)
		p.Exit(tell(keys.Login(), "%s: the key server at %s has the secret key\n", keys.Name, o.Socket))
	case "logout":
		p.Exit(tell(keyserver.Logout(o.Socket), "the key server at %s has forgotten the secret key\n", o.Socket))
	}
	p.Exit(keyserver.Serve(cli.UntilSignal(), o, os.Stdout))
}

func tell(err error, format string, args ...any) error {
	if err == nil {
		_, err = fmt.Printf(format, args...)
	}
	return err
}
