// SPDX-License-Identifier: GPL-2.0-only
/*
 * A parent driver for mediated devices that fails on demand.
 *
 * It exists so that every answer and every race of the mdev core can be produced in a test: slow, failing and
 * deferred probes, slow removals, a shared pool that runs out, the core's own instance limit, parents that come
 * and go. It is written for the mdev interface of Linux 6.1 and for no other.
 *
 *   /sys/devices/virtual/mdevfleet/mdevfleet-N          N < parents: types a (1 unit) and b (2 units) of one pool
 *   /sys/devices/virtual/mdevfleet/mdevfleet-limited-N  N < limited: type c, at most LIMITED_INSTANCES (EUSERS)
 *   /sys/bus/pci/devices/ADDRESS                        each of QEMU's `edu` devices: types a and b, as the first;
 *                                                       unbound and bound again, it is as after loading
 *       registered      rw  1 while the parent is registered with the mdev core; write 0 or 1
 *       capacity        rw  units in the pool
 *       probes removes attribute_writes attribute_reads
 *                       ro  how often the core called us: what a test counts to show that nothing happened
 *       fault/          rw  probe_delay_ms late_delay_ms remove_delay_ms probe_errno fail_every
 *                           attribute_delay_ms attribute_errno        every write to a device's attribute
 *                           attribute_read_delay_ms attribute_read_errno              every read of one
 *                           Setting a delay to 0 also ends the ones under way, so a test need not guess how long.
 *   /sys/bus/mdev/devices/UUID
 *       assign (write-only, repeats), assigned (read-only), vendor/{level,label,secret,refuse}
 *
 * Only the last two sections know what kind of device a parent is.
 */
#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/version.h>
#include <linux/vfio.h>
#include <linux/wait.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0) || LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#error "mdevfleet_test is written for the mdev interface of Linux 6.1"
#endif

#define PARENTS_MAX 64
#define LIMITED_INSTANCES 2
#define DELAY_MS_MAX 600000
#define CAPACITY_MAX 1000000
#define ERRNO_MAX MAX_ERRNO
#define LABEL_SIZE 64
#define LEVEL_MAX 100
#define ASSIGN_BITS 64
#define TYPES_MAX 2
#define EDU_VENDOR_ID 0x1234
#define EDU_DEVICE_ID 0x11e8

static unsigned int parents = 4;
module_param(parents, uint, 0444);
MODULE_PARM_DESC(parents, "parents whose types share a pool");

static unsigned int limited = 1;
module_param(limited, uint, 0444);
MODULE_PARM_DESC(limited, "parents limited by the mdev core");

static unsigned int capacity = 8;
module_param(capacity, uint, 0444);
MODULE_PARM_DESC(capacity, "units in the pool of each parent");

struct fleet_type {
	struct mdev_type type;
	unsigned int units;
};

/*
 * What one registration with the core consists of. The core keeps pointers into it until the last mediated device
 * of that registration is released, which can be after the unregistration returned, and with a PCI device also after
 * the driver was unbound: so a registration is never used twice, nor its parent, and both are freed with the module.
 */
struct fleet_registration {
	struct list_head node;
	struct mdev_parent mdev_parent;
	struct fleet_type types[TYPES_MAX];
	struct mdev_type *table[TYPES_MAX];
};

struct fleet_parent {
	struct list_head node;
	struct mdev_driver *mdev_driver;

	struct mutex lock; /* one change of registration at a time */
	struct device *dev; /* NULL: not there yet, or leaving */
	struct fleet_registration *registration; /* NULL: not registered */
	struct list_head registrations;

	spinlock_t pool_lock;
	unsigned int capacity;
	unsigned int used;

	atomic_t probes;
	atomic_t removes;
	atomic_t attribute_writes;
	atomic_t attribute_reads;
	wait_queue_head_t knob_turned;
	unsigned int probe_delay_ms;
	unsigned int late_delay_ms;
	unsigned int remove_delay_ms;
	unsigned int probe_errno;
	unsigned int fail_every;
	unsigned int attribute_delay_ms;
	unsigned int attribute_errno;
	unsigned int attribute_read_delay_ms;
	unsigned int attribute_read_errno;
};

struct fleet_device {
	struct vfio_device vdev;
	struct fleet_parent *parent;
	unsigned int units;
	struct mutex lock; /* the attributes */
	unsigned int level;
	char label[LABEL_SIZE];
	u64 assigned;
};

static struct mdev_driver pool_driver;
static struct mdev_driver limited_driver;

static LIST_HEAD(all_parents);
static DEFINE_MUTEX(all_parents_lock);

static struct fleet_parent *to_parent(struct device *dev)
{
	return dev_get_drvdata(dev);
}

/* As slow hardware would: not to be interrupted, not even by a fatal signal. */
static void delay(struct fleet_parent *parent, const unsigned int *knob_ms)
{
	unsigned long start = jiffies;
	unsigned long planned = msecs_to_jiffies(READ_ONCE(*knob_ms));

	wait_event_timeout(parent->knob_turned,
			   time_after_eq(jiffies, start + msecs_to_jiffies(READ_ONCE(*knob_ms))), planned);
}

/* ---- the pool -------------------------------------------------------------------------------------------- */

static int pool_take(struct fleet_parent *parent, unsigned int units)
{
	int ret = 0;

	spin_lock(&parent->pool_lock);
	if (parent->used + units > parent->capacity)
		ret = -ENOSPC;
	else
		parent->used += units;
	spin_unlock(&parent->pool_lock);
	return ret;
}

static void pool_give_back(struct fleet_parent *parent, unsigned int units)
{
	spin_lock(&parent->pool_lock);
	parent->used -= units;
	spin_unlock(&parent->pool_lock);
}

static unsigned int pool_available(struct mdev_type *mtype)
{
	struct fleet_parent *parent = to_parent(mtype->parent->dev);
	unsigned int units = container_of(mtype, struct fleet_type, type)->units;
	unsigned int free = 0;

	spin_lock(&parent->pool_lock);
	if (parent->used < parent->capacity)
		free = parent->capacity - parent->used;
	spin_unlock(&parent->pool_lock);
	return free / units;
}

/* ---- attributes of a mediated device --------------------------------------------------------------------- */

static int read_fault(struct fleet_parent *parent)
{
	atomic_inc(&parent->attribute_reads);
	delay(parent, &parent->attribute_read_delay_ms);
	return -(int)READ_ONCE(parent->attribute_read_errno);
}

static int write_fault(struct fleet_parent *parent)
{
	atomic_inc(&parent->attribute_writes);
	delay(parent, &parent->attribute_delay_ms);
	return -(int)READ_ONCE(parent->attribute_errno);
}

static ssize_t level_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct fleet_device *fleet = dev_get_drvdata(dev);
	int ret = read_fault(fleet->parent);

	if (ret)
		return ret;
	return sysfs_emit(buf, "%u\n", READ_ONCE(fleet->level));
}

static ssize_t level_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	struct fleet_device *fleet = dev_get_drvdata(dev);
	unsigned int level;
	int ret = write_fault(fleet->parent) ?: kstrtouint(buf, 0, &level);

	if (ret)
		return ret;
	if (level > LEVEL_MAX)
		return -EINVAL;
	WRITE_ONCE(fleet->level, level);
	return count;
}
static DEVICE_ATTR_RW(level);

static ssize_t label_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct fleet_device *fleet = dev_get_drvdata(dev);
	ssize_t ret = read_fault(fleet->parent);

	if (ret)
		return ret;
	mutex_lock(&fleet->lock);
	ret = sysfs_emit(buf, "%s\n", fleet->label);
	mutex_unlock(&fleet->lock);
	return ret;
}

static ssize_t label_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	struct fleet_device *fleet = dev_get_drvdata(dev);
	ssize_t len = strcspn(buf, "\n");
	int ret = write_fault(fleet->parent);

	if (ret)
		return ret;
	if (len >= LABEL_SIZE)
		return -EINVAL;
	mutex_lock(&fleet->lock);
	memcpy(fleet->label, buf, len);
	fleet->label[len] = '\0';
	mutex_unlock(&fleet->lock);
	return count;
}
static DEVICE_ATTR_RW(label);

static ssize_t secret_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	struct fleet_device *fleet = dev_get_drvdata(dev);

	return write_fault(fleet->parent) ?: count;
}
static DEVICE_ATTR_WO(secret);

static ssize_t refuse_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct fleet_device *fleet = dev_get_drvdata(dev);

	return read_fault(fleet->parent) ?: sysfs_emit(buf, "0\n");
}

static ssize_t refuse_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	struct fleet_device *fleet = dev_get_drvdata(dev);

	return write_fault(fleet->parent) ?: -EINVAL;
}
static DEVICE_ATTR_RW(refuse);

static ssize_t assign_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	struct fleet_device *fleet = dev_get_drvdata(dev);
	unsigned int bit;
	int ret = write_fault(fleet->parent) ?: kstrtouint(buf, 0, &bit);

	if (ret)
		return ret;
	if (bit >= ASSIGN_BITS)
		return -ENODEV;
	mutex_lock(&fleet->lock);
	fleet->assigned |= 1ULL << bit;
	mutex_unlock(&fleet->lock);
	return count;
}
static DEVICE_ATTR_WO(assign);

static ssize_t assigned_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct fleet_device *fleet = dev_get_drvdata(dev);
	ssize_t len = 0;
	unsigned int bit;
	int ret = read_fault(fleet->parent);

	if (ret)
		return ret;
	mutex_lock(&fleet->lock);
	for (bit = 0; bit < ASSIGN_BITS; bit++)
		if (fleet->assigned & (1ULL << bit))
			len += sysfs_emit_at(buf, len, "%u\n", bit);
	mutex_unlock(&fleet->lock);
	return len;
}
static DEVICE_ATTR_RO(assigned);

static struct attribute *vendor_attrs[] = {
	&dev_attr_level.attr,
	&dev_attr_label.attr,
	&dev_attr_secret.attr,
	&dev_attr_refuse.attr,
	NULL,
};

static const struct attribute_group vendor_group = {
	.name = "vendor",
	.attrs = vendor_attrs,
};

static struct attribute *assign_attrs[] = {
	&dev_attr_assign.attr,
	&dev_attr_assigned.attr,
	NULL,
};

static const struct attribute_group assign_group = {
	.attrs = assign_attrs,
};

static const struct attribute_group *device_groups[] = {
	&vendor_group,
	&assign_group,
	NULL,
};

/* ---- mediated devices ------------------------------------------------------------------------------------ */

static int fleet_init_dev(struct vfio_device *vdev)
{
	struct fleet_device *fleet = container_of(vdev, struct fleet_device, vdev);
	struct mdev_device *mdev = to_mdev_device(vdev->dev);
	struct fleet_parent *parent = to_parent(mdev->type->parent->dev);
	unsigned int units = container_of(mdev->type, struct fleet_type, type)->units;
	int ret = pool_take(parent, units);

	if (ret)
		return ret;
	fleet->parent = parent;
	fleet->units = units;
	mutex_init(&fleet->lock);
	return 0;
}

/* The last reference is gone: only now does the capacity come back. */
static void fleet_release_dev(struct vfio_device *vdev)
{
	struct fleet_device *fleet = container_of(vdev, struct fleet_device, vdev);

	pool_give_back(fleet->parent, fleet->units);
	vfio_free_device(vdev);
}

static int fleet_open_device(struct vfio_device *vdev)
{
	return 0;
}

static const struct vfio_device_ops fleet_device_ops = {
	.name = "mdevfleet-test",
	.init = fleet_init_dev,
	.release = fleet_release_dev,
	.open_device = fleet_open_device,
};

/* The errno that probe number nth shall fail with, or 0. */
static int planned_failure(struct fleet_parent *parent, unsigned int nth)
{
	unsigned int every = max(READ_ONCE(parent->fail_every), 1U);

	return nth % every == 0 ? -(int)READ_ONCE(parent->probe_errno) : 0;
}

static int fleet_probe(struct mdev_device *mdev)
{
	struct fleet_parent *parent = to_parent(mdev->type->parent->dev);
	unsigned int nth = atomic_inc_return(&parent->probes);
	struct fleet_device *fleet;
	int ret;

	fleet = vfio_alloc_device(fleet_device, vdev, &mdev->dev, &fleet_device_ops);
	if (IS_ERR(fleet))
		return PTR_ERR(fleet);
	delay(parent, &parent->probe_delay_ms);
	ret = planned_failure(parent, nth);
	if (ret)
		goto err_put;
	ret = vfio_register_emulated_iommu_dev(&fleet->vdev);
	if (ret)
		goto err_put;
	dev_set_drvdata(&mdev->dev, fleet);
	delay(parent, &parent->late_delay_ms);
	return 0;

err_put:
	vfio_put_device(&fleet->vdev);
	return ret;
}

static void fleet_remove(struct mdev_device *mdev)
{
	struct fleet_device *fleet = dev_get_drvdata(&mdev->dev);
	struct fleet_parent *parent = fleet->parent;

	atomic_inc(&parent->removes);
	delay(parent, &parent->remove_delay_ms);
	vfio_unregister_group_dev(&fleet->vdev);
	vfio_put_device(&fleet->vdev);
}

static ssize_t fleet_description(struct mdev_type *mtype, char *buf)
{
	return sysfs_emit(buf, "takes %u of the pool\n", container_of(mtype, struct fleet_type, type)->units);
}

static struct mdev_driver pool_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.probe = fleet_probe,
	.remove = fleet_remove,
	.get_available = pool_available,
	.show_description = fleet_description,
	.driver = {
		.name = "mdevfleet_pool",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
		.dev_groups = device_groups,
	},
};

/* No get_available: the core counts the instances itself, and answers EUSERS. */
static struct mdev_driver limited_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.max_instances = LIMITED_INSTANCES,
	.probe = fleet_probe,
	.remove = fleet_remove,
	.driver = {
		.name = "mdevfleet_limited",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
		.dev_groups = device_groups,
	},
};

/* ---- registration of a parent ---------------------------------------------------------------------------- */

static void add_type(struct fleet_registration *reg, unsigned int index, const char *name, unsigned int units)
{
	reg->types[index].type.sysfs_name = name;
	reg->types[index].type.pretty_name = name;
	reg->types[index].units = units;
	reg->table[index] = &reg->types[index].type;
}

static unsigned int add_types(struct fleet_registration *reg, struct mdev_driver *driver)
{
	if (driver == &limited_driver) {
		add_type(reg, 0, "c", 1);
		return 1;
	}
	add_type(reg, 0, "a", 1);
	add_type(reg, 1, "b", 2);
	return 2;
}

static int parent_register(struct fleet_parent *parent)
{
	struct fleet_registration *reg;
	int ret;

	lockdep_assert_held(&parent->lock);
	if (!parent->dev)
		return -ENODEV;
	if (parent->registration)
		return 0;
	reg = kzalloc(sizeof(*reg), GFP_KERNEL);
	if (!reg)
		return -ENOMEM;
	list_add(&reg->node, &parent->registrations);
	ret = mdev_register_parent(&reg->mdev_parent, parent->dev, parent->mdev_driver, reg->table,
				   add_types(reg, parent->mdev_driver));
	if (!ret)
		WRITE_ONCE(parent->registration, reg);
	return ret;
}

/* Blocks for as long as a device of the parent is in use, as every mdev parent does. */
static void parent_unregister(struct fleet_parent *parent)
{
	lockdep_assert_held(&parent->lock);
	if (!parent->registration)
		return;
	mdev_unregister_parent(&parent->registration->mdev_parent);
	WRITE_ONCE(parent->registration, NULL);
}

/* ---- the life of a parent -------------------------------------------------------------------------------- */

static struct fleet_parent *parent_new(struct mdev_driver *driver)
{
	struct fleet_parent *parent = kzalloc(sizeof(*parent), GFP_KERNEL);

	if (!parent)
		return NULL;
	parent->mdev_driver = driver;
	parent->capacity = capacity;
	parent->fail_every = 1;
	mutex_init(&parent->lock);
	spin_lock_init(&parent->pool_lock);
	INIT_LIST_HEAD(&parent->registrations);
	init_waitqueue_head(&parent->knob_turned);
	mutex_lock(&all_parents_lock);
	list_add(&parent->node, &all_parents);
	mutex_unlock(&all_parents_lock);
	return parent;
}

static int parent_start(struct fleet_parent *parent, struct device *dev)
{
	int ret;

	mutex_lock(&parent->lock);
	parent->dev = dev;
	ret = parent_register(parent);
	mutex_unlock(&parent->lock);
	return ret;
}

static void parent_stop(struct fleet_parent *parent)
{
	mutex_lock(&parent->lock);
	parent_unregister(parent);
	parent->dev = NULL;
	mutex_unlock(&parent->lock);
}

static void free_parents(void)
{
	struct fleet_parent *parent, *next_parent;
	struct fleet_registration *reg, *next;

	list_for_each_entry_safe(parent, next_parent, &all_parents, node) {
		list_for_each_entry_safe(reg, next, &parent->registrations, node)
			kfree(reg);
		kfree(parent);
	}
}

/* ---- attributes of a parent ------------------------------------------------------------------------------ */

static ssize_t registered_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(to_parent(dev)->registration) != NULL);
}

static ssize_t registered_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	struct fleet_parent *parent = to_parent(dev);
	bool wanted;
	int ret = kstrtobool(buf, &wanted);

	if (ret)
		return ret;
	ret = mutex_lock_interruptible(&parent->lock);
	if (ret)
		return ret;
	if (wanted)
		ret = parent_register(parent);
	else
		parent_unregister(parent);
	mutex_unlock(&parent->lock);
	return ret ?: count;
}
static DEVICE_ATTR_RW(registered);

#define COUNTER(_name)                                                                                       \
	static ssize_t _name##_show(struct device *dev, struct device_attribute *attr, char *buf)             \
	{                                                                                                     \
		return sysfs_emit(buf, "%d\n", atomic_read(&to_parent(dev)->_name));                          \
	}                                                                                                     \
	static DEVICE_ATTR_RO(_name)

COUNTER(probes);
COUNTER(removes);
COUNTER(attribute_writes);
COUNTER(attribute_reads);

static ssize_t knob_store(struct fleet_parent *parent, unsigned int *knob, unsigned int max, const char *buf,
			  size_t count)
{
	unsigned int value;
	int ret = kstrtouint(buf, 0, &value);

	if (ret)
		return ret;
	if (value > max)
		return -ERANGE;
	WRITE_ONCE(*knob, value);
	wake_up_all(&parent->knob_turned);
	return count;
}

#define KNOB(_name, _max)                                                                                    \
	static ssize_t _name##_show(struct device *dev, struct device_attribute *attr, char *buf)             \
	{                                                                                                     \
		return sysfs_emit(buf, "%u\n", READ_ONCE(to_parent(dev)->_name));                             \
	}                                                                                                     \
	static ssize_t _name##_store(struct device *dev, struct device_attribute *attr, const char *buf,      \
				     size_t count)                                                            \
	{                                                                                                     \
		return knob_store(to_parent(dev), &to_parent(dev)->_name, _max, buf, count);                  \
	}                                                                                                     \
	static DEVICE_ATTR_RW(_name)

KNOB(capacity, CAPACITY_MAX);
KNOB(probe_delay_ms, DELAY_MS_MAX);
KNOB(late_delay_ms, DELAY_MS_MAX);
KNOB(remove_delay_ms, DELAY_MS_MAX);
KNOB(probe_errno, ERRNO_MAX);
KNOB(fail_every, UINT_MAX);
KNOB(attribute_delay_ms, DELAY_MS_MAX);
KNOB(attribute_errno, ERRNO_MAX);
KNOB(attribute_read_delay_ms, DELAY_MS_MAX);
KNOB(attribute_read_errno, ERRNO_MAX);

static struct attribute *parent_attrs[] = {
	&dev_attr_registered.attr,
	&dev_attr_capacity.attr,
	&dev_attr_probes.attr,
	&dev_attr_removes.attr,
	&dev_attr_attribute_writes.attr,
	&dev_attr_attribute_reads.attr,
	NULL,
};

static const struct attribute_group parent_group = {
	.attrs = parent_attrs,
};

static struct attribute *fault_attrs[] = {
	&dev_attr_probe_delay_ms.attr,
	&dev_attr_late_delay_ms.attr,
	&dev_attr_remove_delay_ms.attr,
	&dev_attr_probe_errno.attr,
	&dev_attr_fail_every.attr,
	&dev_attr_attribute_delay_ms.attr,
	&dev_attr_attribute_errno.attr,
	&dev_attr_attribute_read_delay_ms.attr,
	&dev_attr_attribute_read_errno.attr,
	NULL,
};

static const struct attribute_group fault_group = {
	.name = "fault",
	.attrs = fault_attrs,
};

static const struct attribute_group *parent_groups[] = {
	&parent_group,
	&fault_group,
	NULL,
};

/* ---- parents of our own class ---------------------------------------------------------------------------- */

static struct class fleet_class = {
	.name = "mdevfleet",
	.owner = THIS_MODULE,
};

static int parent_add(struct mdev_driver *driver, const char *format, unsigned int index)
{
	struct fleet_parent *parent = parent_new(driver);
	struct device *dev;

	if (!parent)
		return -ENOMEM;
	dev = device_create_with_groups(&fleet_class, NULL, MKDEV(0, 0), parent, parent_groups, format, index);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	return parent_start(parent, dev);
}

static void delete_parents(void)
{
	struct fleet_parent *parent;
	struct device *dev;

	list_for_each_entry(parent, &all_parents, node) {
		dev = parent->dev;
		if (!dev)
			continue;
		parent_stop(parent);
		device_unregister(dev);
	}
}

static int add_parents(void)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < parents && !ret; i++)
		ret = parent_add(&pool_driver, "mdevfleet-%u", i);
	for (i = 0; i < limited && !ret; i++)
		ret = parent_add(&limited_driver, "mdevfleet-limited-%u", i);
	if (ret)
		delete_parents();
	return ret;
}

/* ---- parents on the PCI bus ------------------------------------------------------------------------------ */

/* The groups are ours to remove, not the driver core's, since the knobs must be there while this blocks. */
static void pci_parent_remove(struct pci_dev *pdev)
{
	parent_stop(pci_get_drvdata(pdev));
	device_remove_groups(&pdev->dev, parent_groups);
}

static int pci_parent_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct fleet_parent *parent = parent_new(&pool_driver);
	int ret;

	if (!parent)
		return -ENOMEM;
	pci_set_drvdata(pdev, parent);
	ret = device_add_groups(&pdev->dev, parent_groups);
	if (ret)
		return ret;
	ret = parent_start(parent, &pdev->dev);
	if (ret)
		pci_parent_remove(pdev);
	return ret;
}

static const struct pci_device_id pci_parent_ids[] = {
	{ PCI_DEVICE(EDU_VENDOR_ID, EDU_DEVICE_ID) },
	{ }
};

static struct pci_driver pci_parent_driver = {
	.name = "mdevfleet",
	.id_table = pci_parent_ids,
	.probe = pci_parent_probe,
	.remove = pci_parent_remove,
};

static int __init mdevfleet_test_init(void)
{
	int ret;

	if (parents > PARENTS_MAX || limited > PARENTS_MAX || capacity > CAPACITY_MAX)
		return -ERANGE;
	ret = class_register(&fleet_class);
	if (ret)
		return ret;
	ret = mdev_register_driver(&pool_driver);
	if (ret)
		goto err_class;
	ret = mdev_register_driver(&limited_driver);
	if (ret)
		goto err_pool;
	ret = add_parents();
	if (ret)
		goto err_limited;
	ret = pci_register_driver(&pci_parent_driver);
	if (ret)
		goto err_parents;
	return 0;

err_parents:
	delete_parents();
err_limited:
	mdev_unregister_driver(&limited_driver);
err_pool:
	mdev_unregister_driver(&pool_driver);
err_class:
	class_unregister(&fleet_class);
	free_parents();
	return ret;
}

static void __exit mdevfleet_test_exit(void)
{
	pci_unregister_driver(&pci_parent_driver);
	delete_parents();
	mdev_unregister_driver(&limited_driver);
	mdev_unregister_driver(&pool_driver);
	class_unregister(&fleet_class);
	free_parents();
}

module_init(mdevfleet_test_init);
module_exit(mdevfleet_test_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A fault-injecting parent of mediated devices");
