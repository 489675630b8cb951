module cryptoctl.local/sandbox/image

go 1.26.0
