/**
 * Stories of one device on one host, for people: what operators say and the host sees, what is planned and shown.
 *
 * Each line is retold by the program; a story fails where it tells another one. The words are in golden-story.ts.
 * Longer than 300 lines, so that all stories stand in one place.
 */
import { describe, expect, test } from 'vitest';
import { retell } from './golden-story.ts';

type Story = { readonly title: string; readonly story: string };

const STORIES: readonly Story[] = [
  {
    title: 'a device is declared, is made, and is ready',
    story: `
      declare   small on gpu0 => claimed
      rows      waiting: small on gpu0
      plan      claim small on gpu0
      record    claiming
      record    reserved
      see       nothing, room for 2
      plan      create small on gpu0
      see       a create on gpu0
      plan      wait CreateInProgress
      see       small on gpu0
      plan      activate
      record    active
      plan      nothing to do
      rows      ready: small on gpu0
      declare   small on gpu0 => unchanged
      plan      nothing to do`,
  },
  {
    title: 'its attributes are written before it is ready, and afresh to each new device',
    story: `
      declare   small on gpu0 with rate=5 mode=x => claimed
      record    claiming
      record    reserved
      plan      create small on gpu0
      see       small on gpu0
      plan      write rate=5 mode=x
      record    configured rate=5 mode=x
      plan      activate
      see       nothing, room for 2
      plan      record drift Removed
      record    drift Removed
      plan      create small on gpu0
      see       small on gpu0
      plan      write rate=5 mode=x`,
  },
  {
    title: 'attributes are changed in place where that is possible',
    story: `
      declare   small on gpu0 with rate=5 mode=x => claimed
      record    claiming
      record    reserved
      record    configured rate=5 mode=x
      record    active
      see       small on gpu0
      declare   small on gpu0 with rate=7 mode=x => updated
      rows      waiting: small on gpu0 with rate=7 mode=x
      plan      write rate=7
      record    configured rate=7 mode=x
      rows      ready: small on gpu0 with rate=7 mode=x
      declare   small on gpu0 with mode=x rate=7 => updated
      plan      write nothing
      record    configured mode=x rate=7
      rows      ready: small on gpu0 with mode=x rate=7
      declare   small on gpu0 => updated
      plan      wait NeedsRecreate
      record    waiting NeedsRecreate
      rows      waiting NeedsRecreate: small on gpu0`,
  },
  {
    title: 'an attribute that somebody else changes is written again, and only that one',
    story: `
      declare   small on gpu0 with rate=5 key=x mode=1 => claimed
      record    claiming
      record    reserved
      see       small on gpu0
      plan      write rate=5 key=x mode=1
      record    configured rate=5 key=x mode=1, of which rate mode read back
      plan      activate
      record    active
      see       small on gpu0, reading rate=5 mode=0x1
      plan      nothing to do
      see       small on gpu0, reading mode=0x1
      plan      nothing to do
      see       small on gpu0, reading rate=9 mode=0x1
      plan      record that rate changed
      record    drift AttributesChanged rate
      rows      waiting: small on gpu0 with rate=5 key=x mode=1
      plan      write rate=5
      record    configured rate=5 key=x mode=1, of which rate mode read back
      rows      ready: small on gpu0 with rate=5 key=x mode=1
      see       small on gpu0, reading rate=5 mode=1
      plan      nothing to do`,
  },
  {
    title: 'a UUID that another host holds is a conflict, until somebody says retry',
    story: `
      declare   small on gpu0 => claimed
      record    claiming
      record    conflict UuidHeld
      rows      conflict UuidHeld: small on gpu0
      plan      end in conflict UuidHeld
      see       small on gpu0
      plan      end in conflict UuidHeld
      declare   small on gpu0 => unchanged
      plan      end in conflict UuidHeld
      see       nothing, room for 2
      retry
      rows      waiting: small on gpu0
      plan      claim small on gpu0`,
  },
  {
    title: 'a conflict is asked again about when the declaration names the claim it replaces',
    story: `
      declare   small on gpu0 => claimed
      record    claiming
      record    conflict UuidHeld
      declare   small on gpu0 replacing small on gpu3 of host-2 => updated
      rows      waiting: small on gpu0
      plan      claim small on gpu0
      record    claiming
      record    waiting HolderLeaving
      rows      waiting HolderLeaving: small on gpu0
      record    reserved
      plan      create small on gpu0`,
  },
  {
    title: 'a second claim is refused while the first has a device, and shown beside it',
    story: `
      declare   small on gpu0 => claimed
      record    claiming
      record    reserved
      record    active
      see       small on gpu0
      declare   big on gpu1 => refused
      rows      ready: small on gpu0 + conflict ClaimDiffers: big on gpu1
      plan      nothing to do
      retry
      rows      ready: small on gpu0 + conflict ClaimDiffers: big on gpu1
      declare   small on gpu0 => unchanged
      rows      ready: small on gpu0`,
  },
  {
    title: 'a claim that never got a device is simply corrected',
    story: `
      declare   smal on gpu0 => claimed
      record    claiming
      record    reserved
      see       nothing, no such type
      plan      wait TypeAbsent
      declare   small on gpu0 => replaced
      plan      begin release Replaced
      record    releasing Replaced
      plan      release
      record    gone
      see       nothing, room for 2
      plan      claim small on gpu0`,
  },
  {
    title: 'one event moves a device to another parent, the old one first',
    story: `
      declare   small on gpu0 => claimed
      record    claiming
      record    reserved
      record    active
      see       small on gpu0, in use
      declare   big on gpu1 replacing small on gpu0 => replaced
      plan      wait InUse
      see       small on gpu0
      plan      begin release Replaced
      record    releasing Replaced
      rows      waiting: big on gpu1
      plan      remove small on gpu0
      see       a removal on gpu0
      plan      wait RemovalInProgress
      see       nothing, room for 2
      plan      release
      record    gone
      plan      claim big on gpu1`,
  },
  {
    title: 'a device in use is withdrawn, and removed once it is free',
    story: `
      declare   small on gpu0 => claimed
      record    claiming
      record    reserved
      record    active
      withdraw  => withdrawn
      see       small on gpu0, in use
      plan      wait InUse
      record    waiting InUse
      rows      releasing InUse: small on gpu0
      see       small on gpu0
      plan      begin release Withdrawn
      record    releasing Withdrawn
      rows      releasing: small on gpu0
      see       small on gpu0, in use
      plan      wait InUse
      see       small on gpu0
      plan      remove small on gpu0
      see       a removal on gpu0
      plan      wait RemovalInProgress
      see       nothing, room for 2
      plan      release
      record    gone
      rows      none
      plan      nothing to do`,
  },
  {
    title: 'a device that is declared again in the middle of its release is released first',
    story: `
      declare   small on gpu0 => claimed
      record    claiming
      record    reserved
      record    active
      withdraw  => withdrawn
      record    releasing Withdrawn
      see       small on gpu0
      declare   small on gpu0 => claimed
      rows      waiting: small on gpu0
      plan      remove small on gpu0
      see       nothing, room for 2
      plan      release
      record    gone
      plan      claim small on gpu0`,
  },
  {
    title: 'a device that was removed behind our back comes again',
    story: `
      declare   small on gpu0 => claimed
      record    claiming
      record    reserved
      record    active
      see       nothing, room for 2
      plan      record drift Removed
      record    drift Removed
      rows      waiting: small on gpu0
      plan      create small on gpu0
      see       nothing, no room
      plan      wait NoCapacity
      see       small on gpu0
      plan      activate
      record    active
      rows      ready: small on gpu0`,
  },
  {
    title: 'after a reboot, a device comes again as soon as its parent is there',
    story: `
      declare   small on gpu0 => claimed
      record    claiming
      record    reserved
      record    active
      reboot
      see       nothing, no parent
      plan      record drift Rebooted
      record    drift Rebooted
      plan      wait ParentAbsent
      record    waiting ParentAbsent
      rows      waiting ParentAbsent: small on gpu0
      see       nothing, room for 2
      plan      create small on gpu0
      see       small on gpu0
      plan      activate
      record    active
      rows      ready: small on gpu0`,
  },
  {
    title: 'a foreign device with that UUID is a conflict, and never touched',
    story: `
      see       big on gpu9
      record    unmanaged big on gpu9
      rows      unmanaged: big on gpu9
      declare   small on gpu0 => claimed
      plan      end in conflict ForeignDevice
      record    conflict ForeignDevice
      rows      conflict ForeignDevice: small on gpu0
      withdraw  => withdrawn
      plan      nothing to do`,
  },
  {
    title: 'a hold is kept while a foreign device has its UUID, also once withdrawn',
    story: `
      declare   small on gpu0 => claimed
      record    claiming
      record    reserved
      record    active
      see       small on gpu9
      plan      end in conflict ForeignDevice
      record    conflict ForeignDevice
      withdraw  => withdrawn
      plan      wait ForeignDevice
      see       nothing, room for 2
      plan      begin release Withdrawn`,
  },
  {
    title: 'nothing is done about what cannot be read, nor while somebody writes',
    story: `
      declare   small on gpu0 => claimed
      record    claiming
      record    reserved
      record    active
      see       no answer
      plan      wait HostUnreadable
      withdraw  => withdrawn
      plan      wait HostUnreadable
      see       a helper at work
      plan      wait Busy
      see       a create on gpu0
      plan      wait CreateInProgress
      see       small on gpu0, not removable
      plan      wait Unremovable
      see       small on gpu0
      plan      begin release Withdrawn`,
  },
  {
    title: 'an attribute that is refused ends the declaration, until there is another one',
    story: `
      declare   small on gpu0 with rate=none => claimed
      record    claiming
      record    reserved
      see       small on gpu0
      plan      write rate=none
      record    failed AttributeRefused
      see       nothing, room for 2
      plan      end in failed AttributeRefused
      rows      failed AttributeRefused: small on gpu0 with rate=none
      declare   small on gpu0 with rate=5 => updated
      rows      waiting: small on gpu0 with rate=5
      plan      create small on gpu0`,
  },
  {
    title: 'a host whose UUID was taken by force touches nothing, and cleans up when told to',
    story: `
      declare   small on gpu0 => claimed
      record    claiming
      record    reserved
      record    active
      see       small on gpu0
      record    fenced
      plan      end in failed Fenced
      record    failed Fenced
      rows      failed Fenced: small on gpu0
      see       nothing, room for 2
      plan      end in failed Fenced
      withdraw  => withdrawn
      see       small on gpu0
      plan      remove small on gpu0
      see       nothing, room for 2
      plan      forget
      record    gone
      rows      none`,
  },
];

describe('a story', () => {
  test.each(STORIES)('$title', ({ story }) => {
    expect(retell(story)).toBe(story);
  });
});
