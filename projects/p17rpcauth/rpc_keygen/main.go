// Command rpc_keygen makes key pairs for AUTH_DES.
package main

import (
	"fmt"
	"os"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p17rpcauth"
)

func main() {
	p := cli.New("rpc_keygen", "NETNAME",
		"Makes a key pair for NETNAME and puts it into a file of all netnames, the secret key\n"+
			"sealed with a password.",
		"  rpc_keygen --keys keys --password-file pass unix.1000@example.org")
	path := p.String("keys", "", "the `file`, made if it is not there, for all to read")
	passwords := p.String("password-file", "", "the password is in this `file`; else it is asked for")
	replace := p.Bool("replace", false, "NETNAME may have keys, which are lost")
	p.Parse(os.Args[1:])
	switch {
	case *path == "":
		p.BadUsage("--keys: which file?")
	case p.NArg() != 1:
		p.BadUsage("wants one netname")
	}
	password, err := p17rpcauth.Password(*passwords, "Password of "+p.Arg(0)+": ")
	if err == nil {
		err = p17rpcauth.Generate(*path, p.Arg(0), password, *replace)
	}
	if err == nil {
		_, err = fmt.Printf("%s: new keys in %s\n", p.Arg(0), *path)
	}
	p.Exit(err)
}
