import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import software.amazon.event.ruler.Machine;

/** Reads lines of a pattern, a tab and an event; prints for each what AWS's matcher says: yes, no, or error. */
public class Verdicts {
    private static String verdict(String pattern, String event) {
        try {
            Machine machine = new Machine();
            machine.addRule("rule", pattern);
            return machine.rulesForJSONEvent(event).isEmpty() ? "no" : "yes";
        } catch (Exception e) {
            return "error " + String.valueOf(e.getMessage()).replace('\n', ' ');
        }
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            int tab = line.indexOf('\t');
            out.println(verdict(line.substring(0, tab), line.substring(tab + 1)));
        }
        out.flush();
    }
}
