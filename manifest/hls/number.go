package hls

import "time"

// seconds reads a decimal number of seconds up to the first byte that does not
// belong to it. What is no number is 0, as it is for players; more than thirty
// years are cut to that.
func seconds(b []byte) time.Duration {
	const most = 1e9 // seconds
	i := 0
	for i < len(b) && isBlank(b[i]) {
		i++
	}
	var whole int64
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		if whole = whole*10 + int64(b[i]-'0'); whole > most {
			whole = most
		}
	}
	d := time.Duration(whole) * time.Second
	if i < len(b) && b[i] == '.' {
		var part int64
		digits := 0
		for i++; i < len(b) && b[i]-'0' <= 9 && digits < 9; i++ {
			part = part*10 + int64(b[i]-'0')
			digits++
		}
		d += time.Duration(part * tens[9-digits])
	}
	return d
}

// tens are the powers of ten.
var tens = [10]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}
