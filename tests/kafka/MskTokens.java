import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerExtensionsValidatorCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * Checks tokens as MSK does with IAM: a token is a URL in Base64, signed with Signature Version 4 in its
 * query. The signature is computed again with the secret in -Dmsk.secret. A session lasts as long as
 * -Dmsk.session_ms says.
 */
public class MskTokens implements AuthenticateCallbackHandler {
    private static final String SECRET = System.getProperty("msk.secret", "");
    private static final long SESSION_MS = Long.getLong("msk.session_ms", 900_000);
    private static final long MAX_SECONDS = 900;

    @Override
    public void configure(Map<String, ?> settings, String mechanism, List<AppConfigurationEntry> entries) {}

    @Override
    public void close() {}

    @Override
    public void handle(Callback[] callbacks) throws UnsupportedCallbackException {
        for (Callback callback : callbacks) {
            if (callback instanceof OAuthBearerValidatorCallback validator) {
                validate(validator);
            } else if (callback instanceof OAuthBearerExtensionsValidatorCallback extensions) {
                extensions.inputExtensions().map().keySet().forEach(extensions::valid);
            } else {
                throw new UnsupportedCallbackException(callback);
            }
        }
    }

    private static void validate(OAuthBearerValidatorCallback validator) {
        String fault;
        Map<String, String> query = new TreeMap<>();

        try {
            fault = faultOf(validator.tokenValue(), query);
        } catch (Exception thrown) {
            fault = thrown.toString();
        }
        System.err.println("MskTokens: " + (fault == null ? "accepted" : "refused: " + fault));
        if (fault == null) {
            validator.token(new Session(validator.tokenValue(), decode(query.get("X-Amz-Credential")).split("/")[0],
                System.currentTimeMillis()));
        } else {
            validator.error("access_denied", null, null);
        }
    }

    private record Session(String value, String principalName, long begunMs) implements OAuthBearerToken {
        @Override
        public Set<String> scope() {
            return Set.of();
        }

        @Override
        public long lifetimeMs() {
            return begunMs + SESSION_MS;
        }

        @Override
        public Long startTimeMs() {
            return begunMs;
        }
    }

    /** Why the token is refused; null: it is good. Fills `query` with the parameters as they are written. */
    private static String faultOf(String token, Map<String, String> query) throws GeneralSecurityException {
        URI url = URI.create(new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8));

        for (String pair : url.getRawQuery().split("&")) {
            int equals = pair.indexOf('=');
            query.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
        if (token.contains("=")) {
            return "it is padded";
        }
        if (!url.getHost().matches("kafka\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?")) {
            return "host " + url.getHost();
        }
        if (!"kafka-cluster:Connect".equals(decode(query.get("Action")))) {
            return "another action";
        }
        if (!query.containsKey("User-Agent")) {
            return "no User-Agent";
        }
        if (Long.parseLong(query.get("X-Amz-Expires")) > MAX_SECONDS) {
            return "it is valid for too long";
        }
        if (!"host".equals(query.get("X-Amz-SignedHeaders"))) {
            return "other signed headers";
        }
        return signatureOf(url.getHost(), query).equals(query.get("X-Amz-Signature")) ? null : "wrong signature";
    }

    private static String signatureOf(String host, Map<String, String> query) throws GeneralSecurityException {
        String[] scope = decode(query.get("X-Amz-Credential")).split("/", 2);
        String canonical = query.entrySet().stream()
            .filter(entry -> !Set.of("X-Amz-Signature", "User-Agent").contains(entry.getKey()))
            .map(entry -> entry.getKey() + "=" + entry.getValue())
            .collect(Collectors.joining("&"));
        String request = "GET\n/\n" + canonical + "\nhost:" + host + "\n\nhost\n" + digest("");
        byte[] key = ("AWS4" + SECRET).getBytes(StandardCharsets.UTF_8);

        if (!scope[1].endsWith("/kafka-cluster/aws4_request")) {
            return "the scope is " + scope[1];
        }
        for (String part : scope[1].split("/")) {
            key = hmac(key, part);
        }
        return HexFormat.of().formatHex(hmac(key,
            "AWS4-HMAC-SHA256\n" + query.get("X-Amz-Date") + "\n" + scope[1] + "\n" + digest(request)));
    }

    private static String decode(String text) {
        return text == null ? null : URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    private static String digest(String text) throws GeneralSecurityException {
        return HexFormat.of().formatHex(
            MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");

        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }
}
