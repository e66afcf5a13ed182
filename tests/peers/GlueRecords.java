// Reads messages with AWS's own deserializer of Glue's schema registry, for test_glue_deserializer.py.
//
// java GlueRecords ENDPOINT REGION <messages, a line of Base64 each
//
// Prints for each message its schema and its record, both in Base64.

import com.amazonaws.services.schemaregistry.deserializers.GlueSchemaRegistryKafkaDeserializer;
import com.amazonaws.services.schemaregistry.serializers.json.JsonDataWithSchema;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;

public final class GlueRecords {
    private static String encode(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> settings = Map.of("endpoint", args[0], "region", args[1]);
        GlueSchemaRegistryKafkaDeserializer deserializer =
            new GlueSchemaRegistryKafkaDeserializer(DefaultCredentialsProvider.create(), settings);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));

        for (String line = in.readLine(); line != null; line = in.readLine()) {
            byte[] message = Base64.getDecoder().decode(line);
            JsonDataWithSchema found = (JsonDataWithSchema) deserializer.deserialize("records", message);
            System.out.println(encode(found.getSchema()) + " " + encode(found.getPayload()));
        }
    }
}
