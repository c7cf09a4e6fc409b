// Package media looks at the bytes of segments, initialisation sections and
// keys: what format they are, whether they are whole, which tracks they hold
// and when those start and how long they last.
//
// It decodes no pictures and no sound. It is given bytes and answers values;
// mp4ff reads boxes, one at a time and with a recover around it. No locks.
package media
