// A customer's client of the binding API in Node.js, of its own modules.
// Each line on standard input is METHOD TARGET BODY; each answer is a line
// STATUS BODY on standard output.
const crypto = require('crypto');
const http = require('http');
const https = require('https');
const readline = require('readline');

const [base, key, secret, scheme] = process.argv.slice(2);

function token() {
  const created = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const nonce = crypto.randomBytes(16).toString('hex');
  const digest = scheme === 'WSSE'
    ? crypto.createHash('sha256').update(nonce + created + secret).digest('base64')
    : crypto.createHmac('sha256', secret).update(nonce + created).digest('base64');
  return `UsernameToken Username="${key}", PasswordDigest="${digest}", Nonce="${nonce}", Created="${created}"`;
}

function send(method, target, body) {
  const url = new URL(base + target);
  const options = {
    method,
    rejectUnauthorized: false,
    headers: {
      'content-type': 'application/json;charset=UTF-8',
      authorization: `${scheme} realm="SDP", profile="UsernameToken", type="Appkey"`,
      [`x-${scheme.toLowerCase()}`]: token(),
    },
  };
  if (body) options.headers['content-length'] = Buffer.byteLength(body);
  return new Promise((done, fail) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, options, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part) => { text += part; });
      answer.on('end', () => done(`${answer.statusCode} ${answer.headers.location || text}`));
    });
    request.on('error', fail);
    request.end(body);
  });
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [method, target, ...rest] = line.split(' ');
    process.stdout.write(`${await send(method, target, rest.join(' '))}\n`);
  }
})();
