/* A message: a type, which the kernel reads, the size of the data, the data. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <sys/msg.h>

#include "../../../internal/lecture/ref/lecture.h"

enum { ROOM = 512 };

struct message {
	long type;
	struct body {
		int size;
		char text[ROOM - sizeof(int)];
	} body;
};

#endif
