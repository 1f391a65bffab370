// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a probe is refused: from an errno, and what the room that refuses knows, to a line in the
 * file probe_errors of tracefs.
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
 * What is known of why the call under way refuses a probe: a string that stays, or NULL. Guarded by
 * kprobe_mutex, which all calls that end in kprobe_tell_refusal() hold.
 */
static const char *why;

/**
 * kprobe_refuse - note why a probe is refused
 * @err: negative errno
 * @reason: in words, a string that stays
 *
 * Whoever finds that a probe cannot be returns by this. It may also be called where no probe is
 * asked for; nobody learns of that.
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
 * kprobe_reason_at - why can there be no probe at an address?
 * @addr: the address
 *
 * For those who have refused one for a reason of their own, and could give a better one.
 *
 * Context: process, kprobe_mutex not held. Sleeps.
 * Return: the reason, a string that stays; NULL if the core knows none.
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
 * arch_kprobe_insn_bounds - which instructions are around an address?
 * @addr: not the start of an instruction
 * @before: set to the start of the one that it is in
 * @behind: set to the start of the next one
 *
 * Context: process, kprobe_mutex held, text_mutex not.
 * Return: true if they are known.
 */
bool __weak arch_kprobe_insn_bounds(unsigned long addr, unsigned long *before,
				    unsigned long *behind)
{
	return false;
}

/* Where instructions start around a place, as offsets from the start of the function. */
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
	/* An offset may lead out of the function that is named. */
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

/* Callbacks of live patches may register probes, with klp_mutex held. */
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
 * Return: true if so; false also if that cannot be known now.
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
		/* One that listens has it in its address. */
		.offset	= kp->symbol_name || !site_of_listener(kp) ? kp->offset : 0,
		.err	= err,
	};
}

/**
 * kprobe_tell_refusal - tell users why a probe is refused
 * @call: the function that they called
 * @kp: the probe
 * @err: what they get
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
 * kprobe_tell_none - tell users that they have asked for no probe
 * @call: the function that they called
 */
void kprobe_tell_none(const char *call)
{
	const struct probe_refusal e = { .call = call, .err = -EINVAL };

	probe_error(&e, "no probes were given", NULL);
}
