// SPDX-License-Identifier: Apache-2.0
/*
 * Holds a vfio device open, as a running virtual machine does: hold /dev/vfio/GROUP UUID
 *
 * Says "held" once the device is open and keeps it until its standard input ends. Node cannot do this itself: it has
 * no ioctl. The exit status is 1, with the failed step on standard error, when the device cannot be opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int must(int result, const char *step)
{
	if (result < 0) {
		fprintf(stderr, "hold: %s: errno %d (%s)\n", step, errno, strerror(errno));
		exit(1);
	}
	return result;
}

int main(int argc, char **argv)
{
	int container, group;
	char byte;

	if (argc != 3) {
		fprintf(stderr, "usage: hold /dev/vfio/GROUP UUID\n");
		return 2;
	}
	container = must(open("/dev/vfio/vfio", O_RDWR), "open /dev/vfio/vfio");
	group = must(open(argv[1], O_RDWR), argv[1]);
	must(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container), "VFIO_GROUP_SET_CONTAINER");
	must(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), "VFIO_SET_IOMMU");
	must(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[2]), "VFIO_GROUP_GET_DEVICE_FD");
	puts("held");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
