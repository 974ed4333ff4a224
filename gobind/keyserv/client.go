package keyserv

/*
#include <stdlib.h>
#include "unp_keyserv.h"
*/
import "C"

import (
	"context"
	"runtime"
	"unsafe"

	"unpipc/gobind/internal/xdr"
	"unpipc/gobind/sunrpc"
)

// Client calls a key server. Errors of its methods: a [Status]; those of
// [sunrpc.Client.Call].
type Client struct{ caller sunrpc.Caller }

// NewClient makes a client over connections that were dialled to [V2].
func NewClient(c sunrpc.Caller) *Client { return &Client{c} }

// Set has the caller's secret key kept: see [Server].
func (c *Client) Set(ctx context.Context, secret *Digits) error {
	var args C.keyserv_digits
	defer clear(digitsOf(&args)[:])
	*digitsOf(&args) = *secret
	return c.keep(ctx, func(h *C.CLIENT, result *C.keyserv_set_result) C.enum_clnt_stat {
		return C.keyserv_set_2(&args, result, h)
	})
}

// Put has the caller's secret key, public key and netname kept.
func (c *Client) Put(ctx context.Context, secret, public *Digits, name string) error {
	args := C.keyserv_net{name: C.CString(name)}
	defer C.free(unsafe.Pointer(args.name))
	defer clear(digitsOf(&args.secret_key)[:])
	*digitsOf(&args.secret_key), *digitsOf(&args.public_key) = *secret, *public
	return c.keep(ctx, func(h *C.CLIENT, result *C.keyserv_set_result) C.enum_clnt_stat {
		return C.keyserv_net_put_2(&args, result, h)
	})
}

func (c *Client) keep(ctx context.Context, stub func(*C.CLIENT, *C.keyserv_set_result) C.enum_clnt_stat) error {
	var result C.keyserv_set_result
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(stub((*C.CLIENT)(h), &result))
	})
	return failure(err, result.status)
}

// Get has them given back, into secret and public. [NoSecret].
func (c *Client) Get(ctx context.Context, secret, public *Digits) (name string, err error) {
	var result C.keyserv_net_result
	err = c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.keyserv_net_get_2(nil, &result, (*C.CLIENT)(h)))
	})
	if err = failure(err, result.status); err != nil {
		return "", err
	}
	net := (*C.keyserv_net)(unsafe.Pointer(&result.keyserv_net_result_u))
	defer C.free(unsafe.Pointer(net.name))
	defer clear(digitsOf(&net.secret_key)[:])
	*secret, *public = *digitsOf(&net.secret_key), *digitsOf(&net.public_key)
	return C.GoString(net.name), nil
}

// Encrypt has a block sealed for the owner of a netname: [NoSecret], [Unknown].
func (c *Client) Encrypt(ctx context.Context, name string, block Block) (Block, error) {
	return c.crypt(ctx, name, block, func(h *C.CLIENT, a *C.keyserv_crypt_args, r *C.keyserv_crypt_result) C.enum_clnt_stat {
		return C.keyserv_encrypt_2(a, r, h)
	})
}

// Decrypt undoes [Client.Encrypt].
func (c *Client) Decrypt(ctx context.Context, name string, block Block) (Block, error) {
	return c.crypt(ctx, name, block, func(h *C.CLIENT, a *C.keyserv_crypt_args, r *C.keyserv_crypt_result) C.enum_clnt_stat {
		return C.keyserv_decrypt_2(a, r, h)
	})
}

func (c *Client) crypt(ctx context.Context, name string, block Block,
	stub func(*C.CLIENT, *C.keyserv_crypt_args, *C.keyserv_crypt_result) C.enum_clnt_stat) (Block, error) {
	args := C.keyserv_crypt_args{name: C.CString(name)}
	defer C.free(unsafe.Pointer(args.name))
	*(*Block)(unsafe.Pointer(&args.block)) = block
	return c.block(ctx, func(h *C.CLIENT, r *C.keyserv_crypt_result) C.enum_clnt_stat { return stub(h, &args, r) })
}

// EncryptPK is Encrypt for the owner of a public key, in hex: [NoSecret].
func (c *Client) EncryptPK(ctx context.Context, name string, public []byte, block Block) (Block, error) {
	return c.cryptPK(ctx, name, public, block, func(h *C.CLIENT, a *C.keyserv_crypt_pk_args, r *C.keyserv_crypt_result) C.enum_clnt_stat {
		return C.keyserv_encrypt_pk_2(a, r, h)
	})
}

// DecryptPK undoes [Client.EncryptPK].
func (c *Client) DecryptPK(ctx context.Context, name string, public []byte, block Block) (Block, error) {
	return c.cryptPK(ctx, name, public, block, func(h *C.CLIENT, a *C.keyserv_crypt_pk_args, r *C.keyserv_crypt_result) C.enum_clnt_stat {
		return C.keyserv_decrypt_pk_2(a, r, h)
	})
}

func (c *Client) cryptPK(ctx context.Context, name string, public []byte, block Block,
	stub func(*C.CLIENT, *C.keyserv_crypt_pk_args, *C.keyserv_crypt_result) C.enum_clnt_stat) (Block, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	args := C.keyserv_crypt_pk_args{name: C.CString(name)}
	defer C.free(unsafe.Pointer(args.name))
	xdr.Lend(&args.public_key, &pin, public)
	*(*Block)(unsafe.Pointer(&args.block)) = block
	return c.block(ctx, func(h *C.CLIENT, r *C.keyserv_crypt_result) C.enum_clnt_stat { return stub(h, &args, r) })
}

// Common has the common key with the owner of a public key made: [NoSecret].
func (c *Client) Common(ctx context.Context, public *Digits) (Block, error) {
	var args C.keyserv_digits
	*digitsOf(&args) = *public
	return c.block(ctx, func(h *C.CLIENT, r *C.keyserv_crypt_result) C.enum_clnt_stat {
		return C.keyserv_get_conv_2(&args, r, h)
	})
}

func (c *Client) block(ctx context.Context, stub func(*C.CLIENT, *C.keyserv_crypt_result) C.enum_clnt_stat) (Block, error) {
	var result C.keyserv_crypt_result
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(stub((*C.CLIENT)(h), &result))
	})
	if err = failure(err, result.status); err != nil {
		return Block{}, err
	}
	return *(*Block)(unsafe.Pointer(&result.keyserv_crypt_result_u)), nil
}

// Generate has a random DES key made.
func (c *Client) Generate(ctx context.Context) (Block, error) {
	var result C.keyserv_block
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.keyserv_gen_2(nil, &result, (*C.CLIENT)(h)))
	})
	return blockOf(&result), err
}

// Credential asks for the user with a netname: [Unknown].
func (c *Client) Credential(ctx context.Context, name string) (Credential, error) {
	args := C.keyserv_netname{name: C.CString(name)}
	defer C.free(unsafe.Pointer(args.name))
	var result C.keyserv_cred_result
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.keyserv_getcred_2(&args, &result, (*C.CLIENT)(h)))
	})
	if err = failure(err, result.status); err != nil {
		return Credential{}, err
	}
	from := (*C.keyserv_cred)(unsafe.Pointer(&result.keyserv_cred_result_u))
	defer C.free(unsafe.Pointer(from.gids.gids_val))
	return Credential{UID: uint32(from.uid), GID: uint32(from.gid),
		GIDs: append([]uint32(nil), xdr.Slice[uint32](&from.gids)...)}, nil
}

func failure(err error, status C.keyserv_status) error {
	if err == nil && status != C.KEYSERV_SUCCESS {
		return Status(status)
	}
	return err
}
