package p17rpcauth

import (
	"time"

	"unpipc/gobind/sunrpc"
	"unpipc/projects/p17rpcauth/authdes"
	"unpipc/projects/p17rpcauth/keyserver"
)

// Keys says where a party's keys are.
type Keys struct {
	Path         string // of the key map
	Name         string // netname
	PasswordFile string // "": the terminal
	KeyServer    string // socket of the one that has the secret key; "": the key map and the password
}

// keys are those of the party. Who gets keys later is known to it, too.
func (k *Keys) keys() (authdes.Keys, error) {
	if k.KeyServer == "" {
		ring, err := k.Ring()
		ring.Public = k.Public
		return ring, err
	}
	keys := keyserver.Keys{Socket: k.KeyServer, Public: k.Public}
	// What would fail with every call fails at once.
	_, err := keys.Seal(k.Name, authdes.DESKey{})
	return keys, err
}

// Ring reads the keys and opens the secret one.
func (k *Keys) Ring() (authdes.KeyRing, error) {
	m, err := ReadKeyMap(k.Path)
	if err != nil {
		return authdes.KeyRing{}, err
	}
	if _, err := m.Public(k.Name); err != nil {
		return authdes.KeyRing{}, err // before a password is asked for
	}
	password, err := Password(k.PasswordFile, "Password of "+k.Name+": ")
	if err != nil {
		return authdes.KeyRing{}, err
	}
	return m.Ring(k.Name, password)
}

// Public looks a public key up in the key map as it is now.
func (k *Keys) Public(name string) (authdes.PublicKey, error) {
	m, err := ReadKeyMap(k.Path)
	if err != nil {
		return authdes.PublicKey{}, err
	}
	return m.Public(name)
}

// Login gives the key server the secret key.
func (k *Keys) Login() error {
	ring, err := k.Ring()
	if err != nil {
		return err
	}
	defer clear(ring.Secret[:])
	return keyserver.Login(k.KeyServer, &ring.Secret, k.Name)
}

// maxConversations bounds what callers can have a server remember.
const maxConversations = 1024

// NewDESServer is a server's side of AUTH_DES.
func (k *Keys) NewDESServer(maxWindow time.Duration) (*authdes.Server, error) {
	keys, err := k.keys()
	if err != nil {
		return nil, err
	}
	return authdes.NewServer(keys, maxConversations, maxWindow, time.Now), nil
}

// NewDES is a client's credential of AUTH_DES for calls to the server of this netname. Its
// clock is wrong by offset.
func (k *Keys) NewDES(server string, window, offset time.Duration) (sunrpc.Auth, error) {
	keys, err := k.keys()
	if err != nil {
		return nil, err
	}
	client, err := authdes.NewClient(k.Name, server, keys, window, func() time.Time { return time.Now().Add(offset) })
	if err != nil {
		return nil, err
	}
	return sunrpc.Plugged{Authenticator: desFlavor{client}}, nil
}

// desFlavor carries a conversation over package sunrpc.
type desFlavor struct{ client *authdes.Client }

func (d desFlavor) Marshal() (cred, verf sunrpc.Opaque, err error) {
	c, v := d.client.Marshal()
	return sunrpc.Opaque{Flavor: authdes.Flavor, Body: c}, sunrpc.Opaque{Flavor: authdes.Flavor, Body: v}, nil
}

func (d desFlavor) Validate(verf sunrpc.Opaque) error {
	if verf.Flavor != authdes.Flavor {
		return authdes.ErrServer
	}
	return d.client.Validate(verf.Body)
}

func (d desFlavor) Refresh(sunrpc.AuthStat) bool { return d.client.Refresh() }
