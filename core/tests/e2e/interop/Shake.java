// Java's javax.net.ssl; see scripts.rs.

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public class Shake {
    private static SSLContext context;

    public static void main(String[] words) throws Exception {
        String host = words[0];
        String other = words[1];
        context = trusting(words[2]);
        String[] targets = Arrays.copyOfRange(words, 3, words.length);
        for (String target : targets) {
            String[] parts = target.split(":");
            for (String version : new String[] {"TLSv1.2", "TLSv1.3"}) {
                System.out.println(parts[0] + " " + shake(parts, version, host));
            }
        }
        try {
            shake(targets[0].split(":"), "TLSv1.3", other);
        } catch (SSLHandshakeException refusal) {
            if (!refusal.getMessage().contains("No subject alternative DNS name matching")) {
                throw refusal;
            }
            System.out.println("refused");
        }
    }

    private static SSLContext trusting(String ca) throws Exception {
        KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
        anchors.load(null, null);
        try (InputStream file = new FileInputStream(ca)) {
            anchors.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(anchors);
        SSLContext made = SSLContext.getInstance("TLS");
        made.init(null, trust.getTrustManagers(), null);
        return made;
    }

    private static String shake(String[] target, String version, String name) throws IOException {
        String protocol = target[1];
        boolean explicit = target[2].equals("explicit");
        try (Socket plain = new Socket("127.0.0.1", Integer.parseInt(target[3]))) {
            plain.setSoTimeout(60_000);
            if (explicit) {
                line(plain);
                if (protocol.equals("smtp")) {
                    ask(plain, "EHLO client.test");
                }
                String way = protocol.equals("smtp") ? "STARTTLS" : protocol.equals("pop3") ? "STLS" : "a STARTTLS";
                String answer = ask(plain, way);
                if (!answer.matches("(220 |\\+OK|a OK).*")) {
                    throw new IOException(answer);
                }
            }
            try (SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(plain, name, 0, true)) {
                SSLParameters parameters = tls.getSSLParameters();
                parameters.setProtocols(new String[] {version});
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                tls.setSSLParameters(parameters);
                tls.startHandshake();
                if (!explicit) {
                    line(tls);
                }
                String answer = ask(tls, protocol.equals("imap") ? "b LOGOUT" : "QUIT");
                return tls.getSession().getProtocol() + " " + answer;
            }
        }
    }

    private static String ask(Socket socket, String command) throws IOException {
        socket.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.UTF_8));
        String found = line(socket);
        while (found.length() > 3 && found.charAt(3) == '-') {
            found = line(socket);
        }
        return found;
    }

    private static String line(Socket socket) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int octet = socket.getInputStream().read(); octet != '\n'; octet = socket.getInputStream().read()) {
            if (octet < 0) {
                throw new IOException("the connection ends behind: " + text);
            }
            text.append((char) octet);
        }
        return text.toString().strip();
    }
}
