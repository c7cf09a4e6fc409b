package listen

const childVar = "LISTEN_TEST_CHILD"

func child() int { return 0 }
