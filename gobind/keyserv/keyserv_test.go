package keyserv_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/keyserv"
	"unpipc/gobind/sunrpc"
	"unpipc/gobind/sunrpc/recordtest"
	"unpipc/gobind/sunrpc/servetest"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

var background = context.Background()

// scribe answers every call, with what the variables below say.
type scribe struct{ servetest.Scribe }

var (
	secret = digits('1')
	public = digits('e')
	plain  = keyserv.Block{1, 2, 3, 4, 5, 6, 7, 255}
	sealed = keyserv.Block{0, 9, 8, 7, 6, 5, 4, 3}
	user   = keyserv.Credential{UID: 1 << 31, GID: 7, GIDs: []uint32{1, 2, 1<<32 - 1}}
)

const name = "unix.1000@example.org"

func digits(of byte) (d keyserv.Digits) {
	for i := range d {
		d[i] = of + byte(i%3)
	}
	return d
}

func (s *scribe) Set(_ *sunrpc.Request, secret *keyserv.Digits) error {
	return s.Note("set", *secret)
}

func (s *scribe) Encrypt(_ *sunrpc.Request, name string, b keyserv.Block) (keyserv.Block, error) {
	return sealed, s.Note("encrypt", name, b)
}

func (s *scribe) Decrypt(_ *sunrpc.Request, name string, b keyserv.Block) (keyserv.Block, error) {
	return plain, s.Note("decrypt", name, b)
}

func (s *scribe) Generate(*sunrpc.Request) (keyserv.Block, error) {
	return plain, s.Note("generate")
}

func (s *scribe) Credential(_ *sunrpc.Request, name string) (keyserv.Credential, error) {
	return user, s.Note("credential", name)
}

func (s *scribe) EncryptPK(_ *sunrpc.Request, name string, public []byte, b keyserv.Block) (keyserv.Block, error) {
	return sealed, s.Note("encrypt", name, public, b)
}

func (s *scribe) DecryptPK(_ *sunrpc.Request, name string, public []byte, b keyserv.Block) (keyserv.Block, error) {
	return plain, s.Note("decrypt", name, public, b)
}

func (s *scribe) Put(_ *sunrpc.Request, secret, public *keyserv.Digits, name string) error {
	return s.Note("put", *secret, *public, name)
}

func (s *scribe) Get(_ *sunrpc.Request, toSecret, toPublic *keyserv.Digits) (string, error) {
	*toSecret, *toPublic = secret, public
	return name, s.Note("get")
}

func (s *scribe) Common(_ *sunrpc.Request, public *keyserv.Digits) (keyserv.Block, error) {
	return sealed, s.Note("common", *public)
}

func start(t *testing.T, s keyserv.Server) *keyserv.Client {
	t.Helper()
	server := sunrpc.NewServer(sunrpc.ServerOptions{})
	for _, service := range keyserv.Services(s) {
		server.Handle(service)
	}
	return keyserv.NewClient(servetest.Dial(t, servetest.Start(t, server, "unix"), keyserv.V2))
}

var calls = []servetest.Call[*keyserv.Client]{
	func(c *keyserv.Client) ([]any, any, any, error) {
		return []any{"set", secret}, nil, nil, c.Set(background, &secret)
	},
	func(c *keyserv.Client) ([]any, any, any, error) {
		got, err := c.Encrypt(background, name, plain)
		return []any{"encrypt", name, plain}, sealed, got, err
	},
	func(c *keyserv.Client) ([]any, any, any, error) {
		got, err := c.Decrypt(background, "", sealed)
		return []any{"decrypt", "", sealed}, plain, got, err
	},
	func(c *keyserv.Client) ([]any, any, any, error) {
		got, err := c.Credential(background, name)
		return []any{"credential", name}, user, got, err
	},
	func(c *keyserv.Client) ([]any, any, any, error) {
		got, err := c.EncryptPK(background, name, public[:], plain)
		return []any{"encrypt", name, public[:], plain}, sealed, got, err
	},
	func(c *keyserv.Client) ([]any, any, any, error) {
		got, err := c.DecryptPK(background, name, append(public[:], 0), sealed)
		return []any{"decrypt", name, append(public[:], 0), sealed}, plain, got, err
	},
	func(c *keyserv.Client) ([]any, any, any, error) {
		return []any{"put", secret, public, name}, nil, nil, c.Put(background, &secret, &public, name)
	},
	func(c *keyserv.Client) ([]any, any, any, error) {
		got, err := c.Common(background, &public)
		return []any{"common", public}, sealed, got, err
	},
	func(c *keyserv.Client) ([]any, any, any, error) {
		var gotSecret, gotPublic keyserv.Digits
		gotName, err := c.Get(background, &gotSecret, &gotPublic)
		return []any{"get"}, []any{secret, public, name}, []any{gotSecret, gotPublic, gotName}, err
	},
	func(c *keyserv.Client) ([]any, any, any, error) {
		got, err := c.Generate(background)
		return []any{"generate"}, plain, got, err
	},
}

func TestEveryCallArrivesAsItWasMadeAndIsAnswered(t *testing.T) {
	s := &scribe{}
	servetest.AssertAnswered(t, &s.Scribe, start(t, s), calls)
}

func TestAStatusIsAResultAndOtherErrorsRefuseTheCall(t *testing.T) {
	s := &scribe{}
	servetest.AssertFail(t, &s.Scribe, func() *keyserv.Client { return start(t, s) }, calls[:len(calls)-1], map[error]error{
		keyserv.NoSecret: keyserv.NoSecret, keyserv.Unknown: keyserv.Unknown, keyserv.Status(77): keyserv.Status(77),
		keyserv.Status(0): sunrpc.SystemError, errors.New("anything else"): sunrpc.SystemError,
		sunrpc.AuthTooWeak: sunrpc.AuthTooWeak,
	})
	s.Fail(keyserv.NoSecret)
	_, err := start(t, s).Generate(background)
	assert.ErrorIs(t, err, sunrpc.SystemError, "a generated key has no status")
}

func TestTheFirstVersionHasNoPublicKeys(t *testing.T) {
	server := sunrpc.NewServer(sunrpc.ServerOptions{})
	for _, service := range keyserv.Services(&scribe{}) {
		server.Handle(service)
	}
	c := keyserv.NewClient(servetest.Dial(t, servetest.Start(t, server, "unix"), keyserv.V1))
	for i, call := range calls {
		asked, _, _, err := call(c)
		if i <= 3 || asked[0] == "generate" {
			assert.NoError(t, err, "call %d", i)
		} else {
			assert.ErrorIs(t, err, sunrpc.ProcedureUnavailable, "call %d", i)
		}
	}
}

func TestWhatIsOverABoundIsNotSent(t *testing.T) {
	s := &scribe{}
	long := strings.Repeat("x", keyserv.MaxKey+1)
	for what, call := range map[string]func(*keyserv.Client) error{
		"name":         func(c *keyserv.Client) error { _, err := c.Encrypt(background, long[:256], plain); return err },
		"name to put":  func(c *keyserv.Client) error { return c.Put(background, &secret, &public, long[:256]) },
		"name of user": func(c *keyserv.Client) error { _, err := c.Credential(background, long[:256]); return err },
		"key": func(c *keyserv.Client) error {
			_, err := c.EncryptPK(background, name, []byte(long), plain)
			return err
		},
	} {
		assert.ErrorIs(t, call(start(t, s)), sunrpc.CantEncodeArgs, what)
	}
	assert.Nil(t, s.Asked())
	_, err := start(t, s).DecryptPK(background, long[:keyserv.MaxName], []byte(long[:keyserv.MaxKey]), plain)
	require.NoError(t, err, "the bounds themselves")
}

func TestAUserWithTooManyGroupsHasTheFirstOfThem(t *testing.T) {
	old := user
	defer func() { user = old }()
	user.GIDs = make([]uint32, 20)
	got, err := start(t, &scribe{}).Credential(background, name)
	require.NoError(t, err)
	assert.Len(t, got.GIDs, keyserv.MaxGroups)
}

func TestStatusesAreReadable(t *testing.T) {
	assert.EqualError(t, keyserv.NoSecret, "the key server has no secret key of this user")
	assert.EqualError(t, keyserv.Status(77), "key server status 77")
}

// records are the calls with arguments.
func records(t testing.TB) [][]byte {
	return recordtest.All(t, keyserv.V2, keyserv.NewClient, calls[:len(calls)-2])
}

func TestACallThatIsCutShortIsGarbage(t *testing.T) {
	s := &scribe{}
	recordtest.AssertGarbage(t, keyserv.Services(s)[1], &s.Scribe, records(t), recordtest.CutShort)
}

// FuzzServer plays any bytes to a server: it lives, and what it is asked keeps the bounds.
func FuzzServer(f *testing.F) {
	s := &scribe{}
	play := recordtest.Serve(f, keyserv.Services(s)[1])
	recordtest.Seed(f, records(f))
	f.Fuzz(func(t *testing.T, stream []byte) {
		play(t, stream)
		for _, a := range s.Asked() {
			switch a := a.(type) {
			case string:
				assert.LessOrEqual(t, len(a), keyserv.MaxName)
			case []byte:
				assert.LessOrEqual(t, len(a), keyserv.MaxKey)
			}
		}
	})
}
