// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tell users why a probe is refused. The function that refuses it notes a reason. Together with
 * the errno it becomes a line in the file probe_errors of tracefs.
 */
#include <linux/errno.h>
#include <linux/kallsyms.h>
#include <linux/probe_errors.h>
#include <linux/string.h>

#ifdef CONFIG_LIVEPATCH
#include "../livepatch/core.h"
#endif

#include "internal.h"

/*
 * Why the call in progress refuses a probe: a string constant, or NULL. Guarded by kprobe_mutex,
 * which all callers of kprobe_tell_refusal() hold. Calls of kprobe_refuse() without the mutex may
 * also change it; then a wrong reason is shown.
 */
static const char *why;

/**
 * kprobe_refuse - note why a probe is refused
 * @err: negative errno
 * @reason: a string constant
 *
 * Functions that check for a probe return with this. They may also run when no probe is being
 * registered; then the reason is not used.
 *
 * Context: any.
 * Return: @err.
 */
int kprobe_refuse(int err, const char *reason)
{
	WRITE_ONCE(why, reason);
	return err;
}

/**
 * kprobe_reason_at - find out why there can be no probe at an address
 * @addr: the address
 *
 * For callers that refuse a probe by a check of their own, where the core may know a more
 * precise reason.
 *
 * Context: process, kprobe_mutex not held. Sleeps.
 * Return: the reason, a string constant; NULL if the core knows none.
 */
const char *kprobe_reason_at(unsigned long addr)
{
	struct kprobe_place place;

	guard(mutex)(&kprobe_mutex);
	kprobe_place_at(addr, &place);
	why = NULL;
	return kprobe_check_place(&place) ? why : NULL;
}

static const char *reason_of(int err)
{
	switch (err) {
	case -EILSEQ:
		return "inside an instruction";
	case -EOPNOTSUPP:
		return "this instruction can be neither emulated nor run elsewhere";
	case -EBUSY:
		return "another user of ftrace redirects this function";
	case -ENODEV:
		return "ftrace has shut itself down";
	case -EAGAIN:
		return "too early in boot";
	case -ENOMEM:
		return "no memory";
	default:
		return "the architecture lets nobody probe this instruction";
	}
}

/**
 * arch_kprobe_insn_bounds - find the instruction that contains an address
 * @addr: not the start of an instruction
 * @before: set to the start of the instruction
 * @behind: set to the start of the next instruction
 *
 * Context: process, kprobe_mutex held, text_mutex not.
 * Return: true if they are known.
 */
bool __weak arch_kprobe_insn_bounds(unsigned long addr, unsigned long *before,
				    unsigned long *behind)
{
	return false;
}

/* Write to @hint where instructions start around @kp, as offsets from the function's start. */
static bool hint_bounds(const struct kprobe *kp, char *hint, size_t room)
{
	struct kprobe_place place = { };
	unsigned long before, behind, into;
	bool elsewhere;

	if (kprobe_locate(kp, &place) ||
	    !kallsyms_lookup_size_offset(place.addr, NULL, &into) ||
	    !arch_kprobe_insn_bounds(place.addr, &before, &behind))
		return false;
	before -= place.addr - into;
	behind -= place.addr - into;
	/* The offset may lead out of the named function. */
	elsewhere = kp->symbol_name && into != kp->offset;
	if (elsewhere)
		snprintf(hint, room, "boundaries at %ps+0x%lx, +0x%lx",
			 (void *)(place.addr - into), before, behind);
	else
		snprintf(hint, room, "boundaries at +0x%lx, +0x%lx", before, behind);
	return true;
}

#ifdef CONFIG_LIVEPATCH
static bool is_patched_by(struct klp_patch *patch, unsigned long function)
{
	struct klp_object *obj;
	struct klp_func *func;

	klp_for_each_object(patch, obj) {
		klp_for_each_func(obj, func) {
			if (func->patched && (unsigned long)func->old_func == function)
				return true;
		}
	}
	return false;
}

/* Trylock, because callbacks of live patches may register probes with klp_mutex held. */
static bool hint_live_patch(unsigned long addr, char *hint, size_t room)
{
	struct klp_patch *patch;
	unsigned long into;
	bool found = false;

	if (!kallsyms_lookup_size_offset(addr, NULL, &into) || !mutex_trylock(&klp_mutex))
		return false;
	klp_for_each_patch(patch) {
		found = is_patched_by(patch, addr - into);
		if (!found)
			continue;
		snprintf(hint, room, "it is live patch %s; without a post handler you could share",
			 patch->mod->name);
		break;
	}
	mutex_unlock(&klp_mutex);
	return found;
}
#else
static bool hint_live_patch(unsigned long addr, char *hint, size_t room)
{
	return false;
}
#endif

/**
 * kprobe_is_live_patched - does a live patch redirect the function that a kprobe is in?
 * @kp: the kprobe, with its address
 *
 * Context: process, kprobe_mutex held.
 * Return: true if so; false if not, or if klp_mutex is taken.
 */
bool kprobe_is_live_patched(const struct kprobe *kp)
{
	char unused[8];

	return hint_live_patch((unsigned long)kp->addr, unused, sizeof(unused));
}

static bool find_hint(const struct kprobe *kp, int err, char *hint, size_t room)
{
	if (err == -EILSEQ)
		return hint_bounds(kp, hint, room);
	if (err == -EBUSY)
		return hint_live_patch((unsigned long)kp->addr, hint, room);
	return false;
}

static struct probe_refusal describe(const char *call, const struct kprobe *kp, int err)
{
	return (struct probe_refusal){
		.call	= call,
		.symbol	= kp->symbol_name,
		.addr	= kp->symbol_name ? 0 : (unsigned long)kp->addr,
		/* The address of a kprobe that is registered includes the offset. */
		.offset	= kp->symbol_name || !site_of_listener(kp) ? kp->offset : 0,
		.err	= err,
	};
}

/**
 * kprobe_tell_refusal - add a line to probe_errors
 * @call: the function that was called
 * @kp: the probe that is refused
 * @err: the errno that the caller gets
 *
 * Context: process, kprobe_mutex held.
 */
void kprobe_tell_refusal(const char *call, const struct kprobe *kp, int err)
{
	struct probe_refusal e = describe(call, kp, err);
	const char *reason = why;
	char hint[128];

	lockdep_assert_held(&kprobe_mutex);
	if (err == -ENOENT && !reason && kp->symbol_name)
		probe_error_no_symbol(&e);
	else
		probe_error(&e, reason ?: reason_of(err),
			    find_hint(kp, err, hint, sizeof(hint)) ? hint : NULL);
	why = NULL;
}

/**
 * kprobe_tell_none - add a line to probe_errors for a call without probes
 * @call: the function that was called
 */
void kprobe_tell_none(const char *call)
{
	const struct probe_refusal e = { .call = call, .err = -EINVAL };

	probe_error(&e, "no probes were given", NULL);
}
