package origin

import "container/heap"

// queue is a shard's part of the recent zone: a ring of slots, oldest first.
type queue struct {
	root slot
	len  int
}

func (q *queue) init() { q.root.prev, q.root.next = &q.root, &q.root }

func (q *queue) first() *slot { return q.root.next }

func (q *queue) push(sl *slot) {
	sl.prev, sl.next = q.root.prev, &q.root
	sl.prev.next, q.root.prev = sl, sl
	q.len++
}

func (q *queue) remove(sl *slot) {
	sl.prev.next, sl.next.prev = sl.next, sl.prev
	sl.prev, sl.next = nil, nil
	q.len--
}

// dueHeap is a shard's part of the live zone, the soonest to leave first.
type dueHeap []*slot

func (h *dueHeap) push(sl *slot)   { heap.Push((*dueOrder)(h), sl) }
func (h *dueHeap) remove(sl *slot) { heap.Remove((*dueOrder)(h), sl.heap) }

// dueOrder gives dueHeap the order that container/heap keeps.
type dueOrder []*slot

func (h dueOrder) Len() int           { return len(h) }
func (h dueOrder) Less(i, j int) bool { return h[i].until.Before(h[j].until) }

func (h dueOrder) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heap, h[j].heap = i, j
}

func (h *dueOrder) Push(x any) {
	sl := x.(*slot)
	sl.heap = len(*h)
	*h = append(*h, sl)
}

func (h *dueOrder) Pop() any {
	old := *h
	sl := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return sl
}
