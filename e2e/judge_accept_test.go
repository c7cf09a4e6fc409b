//go:build accept

package e2e

import (
	"testing"
	"time"
)

// Five minutes of the same.
func TestAcceptJudgeFFmpeg(t *testing.T) { judgeFFmpeg(t, 5*time.Minute) }

func TestAcceptJudgeDemo(t *testing.T) { judgeDemo(t, 5*time.Minute) }
