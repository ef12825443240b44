package soak

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// standing is how many clients of a soaker stay from its first session to its last, as most of a simulator's do: their handles must
// answer at the end as they did at the beginning. Memory is judged as a part of what such a simulator has, because what the Go runtime
// has for itself goes up and down by some hundred kilobytes.
const standing = 1000

// crowd are the clients that stay. They have a device of their own.
type crowd struct {
	*soaker
	handles []*device.Handle
	sent    uint32
}

// gather opens the handles.
func (s *soaker) gather() (*crowd, error) {
	c := &crowd{soaker: s}
	dev, err := s.driver.Device("")
	for err == nil && len(c.handles) < standing {
		var h *device.Handle
		if h, err = dev.Open(); err == nil {
			c.handles = append(c.handles, h)
		}
	}
	if err != nil {
		c.leave()
	}
	return c, err
}

// ask sends a request on each of the handles, and judges the answers.
func (c *crowd) ask(handles []*device.Handle) {
	out := make([]byte, answerSize)
	for _, h := range handles {
		c.sent++
		c.requests.Add(1)
		n, status := h.IoControl(ks.IoctlProperty, ordered(answer, c.sent, 0), out)
		if value := binary.LittleEndian.Uint64(out); n != answerSize || status != ks.StatusSuccess || value != uint64(c.sent) {
			c.blame("answer", "request %d of a client that stays: %d bytes, %v, value %d", c.sent, n, status, value)
			return
		}
	}
}

// leave closes the handles.
func (c *crowd) leave() {
	for _, h := range c.handles {
		if err := h.Close(); err != nil {
			c.blame("close", "a client that stays: %v", err)
		}
	}
}
