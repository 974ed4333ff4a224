#!/bin/sh
# rpcgen.sh [ROOT]: writes what rpcgen makes of every interface file NAME.x here, below
# ROOT, by default this repository: capi/NAME.h, and csrc/NAME/NAME_xdr.c, _clnt.c, _svc.c.
#
# -M leaves results to the caller, so that stubs and procedures may run on any thread;
# -m writes the dispatcher without a main. The first lines keep the compiler silent about
# rpcgen's habits: unused buffers, casts of functions, dispatchers that no header names.
set -eu
cd "$(dirname "$0")"
root=${1:-..}
for x in *.x; do
	name=${x%.x}
	mkdir -p "$root/capi" "$root/csrc/$name"
	rm -f "$root/capi/$name.h"
	rpcgen -C -M -h -o "$root/capi/$name.h" "$x"
	for part in xdr:-c clnt:-l svc:-m; do
		out=$root/csrc/$name/${name}_${part%:*}.c
		rm -f "$out" "$out.tmp"
		rpcgen -C -M "${part#*:}" -o "$out.tmp" "$x"
		{
			for warning in unused-variable cast-function-type missing-declarations; do
				printf '#pragma GCC diagnostic ignored "-W%s"\n' $warning
			done
			cat "$out.tmp"
		} >"$out"
		rm "$out.tmp"
	done
done
