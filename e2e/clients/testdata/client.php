<?php
// A customer's client of the binding API in PHP, of streams alone.
// Each line on standard input is METHOD TARGET BODY; each answer is a line
// STATUS BODY on standard output.
list(, $base, $key, $secret, $scheme) = $argv;
date_default_timezone_set('Asia/Shanghai');

function token($key, $secret, $scheme) {
    $created = date('Y-m-d\TH:i:s\Z');
    $nonce = uniqid();
    $digest = $scheme === 'WSSE'
        ? hash('sha256', $nonce . $created . $secret, true)
        : hash_hmac('sha256', $nonce . $created, $secret, true);
    return sprintf('UsernameToken Username="%s",PasswordDigest="%s",Nonce="%s",Created="%s"', $key, base64_encode($digest), $nonce, $created);
}

while (($line = fgets(STDIN)) !== false) {
    list($method, $target, $body) = array_pad(explode(' ', rtrim($line, "\n"), 3), 3, '');
    $options = [
        'http' => [
            'method' => $method,
            'header' => [
                'Content-Type: application/json;charset=UTF-8',
                'Accept: application/json',
                "Authorization: $scheme realm=\"SDP\",profile=\"UsernameToken\",type=\"Appkey\"",
                "X-$scheme: " . token($key, $secret, $scheme),
            ],
            'content' => $body,
            'ignore_errors' => true,
            'follow_location' => 0,
            'timeout' => 15,
        ],
        'ssl' => ['verify_peer' => false, 'verify_peer_name' => false],
    ];
    $http_response_header = [];
    $answer = file_get_contents($base . $target, false, stream_context_create($options));
    $status = explode(' ', $http_response_header[0])[1];
    foreach ($http_response_header as $header) {
        if (stripos($header, 'Location:') === 0) {
            $answer = trim(substr($header, strlen('Location:')));
        }
    }
    fwrite(STDOUT, "$status $answer\n");
}
