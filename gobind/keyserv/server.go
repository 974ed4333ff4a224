package keyserv

/*
#include <stdlib.h>
#include "unp_keyserv.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"unpipc/gobind/internal/xdr"
	"unpipc/gobind/sunrpc"
)

// Server is what clients call. Its methods are called on several goroutines. A [Status]
// that they return is the result; other errors refuse the call as those of
// [sunrpc.Service] do. Pointers are good until the method returns.
type Server interface {
	// Set keeps the caller's secret key. One whose first byte is 0 is none: what was
	// kept is forgotten.
	Set(r *sunrpc.Request, secret *Digits) error
	// Encrypt seals a block with the common key of the caller and the owner of a netname.
	Encrypt(r *sunrpc.Request, name string, block Block) (Block, error)
	// Decrypt undoes Encrypt.
	Decrypt(r *sunrpc.Request, name string, block Block) (Block, error)
	// Generate makes a random DES key. An error refuses the call: there is no status.
	Generate(r *sunrpc.Request) (Block, error)
	// Credential is the user with a netname.
	Credential(r *sunrpc.Request, name string) (Credential, error)

	// EncryptPK is Encrypt for a caller who knows the other's public key.
	EncryptPK(r *sunrpc.Request, name string, public []byte, block Block) (Block, error)
	// DecryptPK undoes EncryptPK.
	DecryptPK(r *sunrpc.Request, name string, public []byte, block Block) (Block, error)
	// Put keeps the caller's secret key, public key and netname.
	Put(r *sunrpc.Request, secret, public *Digits, name string) error
	// Get gives them back.
	Get(r *sunrpc.Request, secret, public *Digits) (name string, err error)
	// Common is the common key of the caller and the owner of a public key.
	Common(r *sunrpc.Request, public *Digits) (Block, error)
}

// Services are both versions.
func Services(s Server) []sunrpc.Service {
	call := func(r *sunrpc.Request, args, result unsafe.Pointer) error { return dispatch(s, r, args, result) }
	return []sunrpc.Service{
		{Program: V1, Dispatch: C.keyserv_prog_1, Call: call},
		{Program: V2, Dispatch: C.keyserv_prog_2, Call: call},
	}
}

func dispatch(s Server, r *sunrpc.Request, args, result unsafe.Pointer) error {
	switch r.Proc() {
	case C.KEYSERV_SET:
		secret := (*Digits)(args)
		defer clear(secret[:])
		return give((*C.keyserv_status)(result), s.Set(r, secret))
	case C.KEYSERV_ENCRYPT, C.KEYSERV_DECRYPT:
		a := (*C.keyserv_crypt_args)(args)
		crypt := s.Encrypt
		if r.Proc() == C.KEYSERV_DECRYPT {
			crypt = s.Decrypt
		}
		block, err := crypt(r, C.GoString(a.name), blockOf(&a.block))
		return giveBlock(result, block, err)
	case C.KEYSERV_GEN:
		block, err := s.Generate(r)
		*(*Block)(result) = block
		return err
	case C.KEYSERV_GETCRED:
		c, err := s.Credential(r, C.GoString((*C.keyserv_netname)(args).name))
		return giveCredential((*C.keyserv_cred_result)(result), c, err)
	case C.KEYSERV_ENCRYPT_PK, C.KEYSERV_DECRYPT_PK:
		a := (*C.keyserv_crypt_pk_args)(args)
		crypt := s.EncryptPK
		if r.Proc() == C.KEYSERV_DECRYPT_PK {
			crypt = s.DecryptPK
		}
		block, err := crypt(r, C.GoString(a.name), xdr.Bytes(&a.public_key), blockOf(&a.block))
		return giveBlock(result, block, err)
	case C.KEYSERV_NET_PUT:
		a := (*C.keyserv_net)(args)
		secret := digitsOf(&a.secret_key)
		defer clear(secret[:])
		return give((*C.keyserv_status)(result), s.Put(r, secret, digitsOf(&a.public_key), C.GoString(a.name)))
	case C.KEYSERV_NET_GET:
		to := (*C.keyserv_net)(unsafe.Pointer(&(*C.keyserv_net_result)(result).keyserv_net_result_u))
		name, err := s.Get(r, digitsOf(&to.secret_key), digitsOf(&to.public_key))
		if err == nil && len(name) > MaxName {
			// xdr_free leaves a string alone that is over its bound.
			return fmt.Errorf("%w: a netname of more than %d bytes", sunrpc.SystemError, MaxName)
		}
		if err == nil {
			to.name = C.CString(name)
		}
		return give(&(*C.keyserv_net_result)(result).status, err)
	case C.KEYSERV_GET_CONV:
		block, err := s.Common(r, (*Digits)(args))
		return giveBlock(result, block, err)
	}
	return sunrpc.ProcedureUnavailable
}

func digitsOf(d *C.keyserv_digits) *Digits { return (*Digits)(unsafe.Pointer(&d.digits)) }
func blockOf(b *C.keyserv_block) Block     { return *(*Block)(unsafe.Pointer(&b.bytes)) }

// give sets the status that goes with err, and returns what refuses the call.
func give(to *C.keyserv_status, err error) error {
	var s Status
	if errors.As(err, &s) && s != C.KEYSERV_SUCCESS {
		*to = C.keyserv_status(s)
		return nil
	}
	return err
}

func giveBlock(result unsafe.Pointer, block Block, err error) error {
	r := (*C.keyserv_crypt_result)(result)
	if err == nil {
		*(*Block)(unsafe.Pointer(&r.keyserv_crypt_result_u)) = block
	}
	return give(&r.status, err)
}

func giveCredential(r *C.keyserv_cred_result, c Credential, err error) error {
	if err == nil {
		to := (*C.keyserv_cred)(unsafe.Pointer(&r.keyserv_cred_result_u))
		to.uid, to.gid = C.u_int(c.UID), C.u_int(c.GID)
		xdr.Give(&to.gids, c.GIDs[:min(len(c.GIDs), MaxGroups)])
	}
	return give(&r.status, err)
}
