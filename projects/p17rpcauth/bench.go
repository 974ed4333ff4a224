package p17rpcauth

import (
	"os"
	"path/filepath"

	"unpipc/projects/internal/measure"
	"unpipc/projects/p16rpccalc"
)

// rows compare the flavors that need no other server, and each with that of the C pair.
func rows(measure.Config) []measure.Row {
	row := func(name, what string, variants ...measure.Variant) measure.Row {
		return measure.Row{
			Group: "exercise 17", Name: name, Unit: measure.Nanoseconds,
			What:     "one client calls ADD again and again over a Unix socket, " + what,
			Check:    "every sum is compared, and the server has to know the caller",
			Variants: variants,
		}
	}
	pair := func(name, folder string, prepare preparation) measure.Variant {
		return p16rpccalc.Pair{Folder: folder, Network: "unix", Clients: 1, Prepare: prepare}.Elapsed(name)
	}
	return []measure.Row{
		row("lat_rpc_auth", "with each flavor of credentials",
			pair("AUTH_DES", "p17", withDES), pair("AUTH_SYS", "p17", withSys), pair("AUTH_NONE", "p17", withNone)),
		row("lat_rpc_sys", "with AUTH_SYS", pair("Go", "p17", withSys), pair("C", "p17/ref", withSys)),
		row("lat_rpc_des", "with AUTH_DES", pair("Go", "p17", withDES), pair("C", "p17/ref", withDES)),
	}
}

// preparation is what a pair of programs needs, in a folder of its own, for one flavor.
type preparation func(dir string) (server, client []string, err error)

func withNone(string) (server, client []string, err error) {
	return []string{"--auth", "none", "--allow", "add: anybody"}, []string{"--auth", "none"}, nil
}

func withSys(string) (server, client []string, err error) {
	return []string{"--auth", "sys", "--allow", "add: uid 77"}, []string{"--auth", "sys", "--uid", "77"}, nil
}

func withDES(dir string) (server, client []string, err error) {
	keys, password := filepath.Join(dir, "keys"), filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		return nil, nil, err
	}
	for _, name := range []string{"calc@here", "ann@here"} {
		if err := Generate(keys, name, "secret", false); err != nil {
			return nil, nil, err
		}
	}
	flags := []string{"--auth", "des", "--keys", keys, "--password-file", password, "--netname"}
	server = append(append(server, flags...), "calc@here", "--allow", "add: name ann@here")
	return server, append(append(client, flags...), "ann@here", "--server", "calc@here"), nil
}
