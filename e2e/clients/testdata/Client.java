import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.text.SimpleDateFormat;
import java.time.Duration;
import java.util.Base64;
import java.util.Date;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.SSLEngine;
import java.net.Socket;

/**
 * A customer's client of the binding API in Java. Each line on standard input
 * is METHOD TARGET BODY; each answer is a line STATUS BODY on standard output.
 * The client offers HTTP/2, also by upgrade, as Java does unless told otherwise.
 */
public class Client {
    public static void main(String[] args) throws Exception {
        String base = args[0], key = args[1], secret = args[2], scheme = args[3];
        SSLContext blind = SSLContext.getInstance("TLS");
        blind.init(null, new TrustManager[] {new TrustEverybody()}, null);
        HttpClient client = HttpClient.newBuilder().sslContext(blind).connectTimeout(Duration.ofSeconds(15)).build();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            String[] parts = line.split(" ", 3);
            String body = parts.length > 2 ? parts[2] : "";
            HttpRequest request = HttpRequest.newBuilder(URI.create(base + parts[1]))
                .timeout(Duration.ofSeconds(15))
                .header("Content-Type", "application/json;charset=UTF-8")
                .header("Authorization", scheme + " realm=\"SDP\",profile=\"UsernameToken\",type=\"Appkey\"")
                .header("X-" + scheme, token(key, secret, scheme))
                .method(parts[0], body.isEmpty() ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body))
                .build();
            HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(answer.statusCode() + " " + answer.headers().firstValue("Location").orElse(answer.body()));
        }
    }

    static String token(String key, String secret, String scheme) throws Exception {
        String created = new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss'Z'").format(new Date());
        String nonce = UUID.randomUUID().toString().replace("-", "");
        byte[] digest;
        if (scheme.equals("WSSE")) {
            digest = MessageDigest.getInstance("SHA-256").digest((nonce + created + secret).getBytes(StandardCharsets.UTF_8));
        } else {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            digest = mac.doFinal((nonce + created).getBytes(StandardCharsets.UTF_8));
        }
        return String.format("UsernameToken Username=\"%s\",PasswordDigest=\"%s\",Nonce=\"%s\",Created=\"%s\"",
            key, Base64.getEncoder().encodeToString(digest), nonce, created);
    }

    /** Clients are told to skip certificate checks; the extended kind skips the host name too. */
    static class TrustEverybody extends X509ExtendedTrustManager {
        public void checkClientTrusted(X509Certificate[] chain, String type) {}
        public void checkServerTrusted(X509Certificate[] chain, String type) {}
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}
        public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
    }
}
